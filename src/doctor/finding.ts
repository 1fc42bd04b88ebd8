/** How bad something is: ok; warning: it works and will not for ever; problem: volumes do not work, or only by luck. */
export type Severity = 'ok' | 'warning' | 'problem';

/** One line of the doctor's report. */
export interface Finding {
  /** What was looked at, such as "certificate of https://gw". */
  readonly check: string;
  readonly severity: Severity;
  readonly says: string;
  /** What to do; undefined where nothing needs to be done. */
  readonly fix?: string | undefined;
}

const ORDER: readonly Severity[] = ['ok', 'warning', 'problem'];
/** 1 and 2 are taken: a command that failed or was used wrongly. */
const EXIT_STATUS = { ok: 0, warning: 10, problem: 20 } as const;

export const ok = (check: string, says: string): Finding => ({ check, severity: 'ok', says });
export const warning = (check: string, says: string, fix: string): Finding => ({
  check,
  severity: 'warning',
  says,
  fix,
});
export const problem = (check: string, says: string, fix: string): Finding => ({
  check,
  severity: 'problem',
  says,
  fix,
});

/** Of the worst finding; ok when there is none. */
export function worstOf(findings: readonly Finding[]): Severity {
  return findings.reduce<Severity>(
    (worst, { severity }) => (ORDER.indexOf(severity) > ORDER.indexOf(worst) ? severity : worst),
    'ok',
  );
}

/** 0 all ok, 10 a warning, 20 a problem. */
export function exitStatusOf(findings: readonly Finding[]): number {
  return EXIT_STATUS[worstOf(findings)];
}
