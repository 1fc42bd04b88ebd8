import {
  ConfigError,
  GatewayAuthError,
  GatewayUnavailableError,
  isPluginError,
  AttachError,
  type AttachProblem,
} from '../errors.ts';

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
  /** Of a problem: what it keeps other checks from looking at. */
  readonly causes?: Root | undefined;
  /** Of a problem: it is one only because of another that causes this. */
  readonly follows?: Root | undefined;
}

/** What many checks need, so that its failure is met by all of them. */
export type Root = 'gateway' | 'sdc';

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

/** The same problem, named as what keeps others from being looked at. */
export const causing = (root: Root, finding: Finding): Finding => ({ ...finding, causes: root });

/** The problem of a check that could not look, by what its error means; of any other error a problem of its own. */
export function failed(check: string, error: unknown): Finding {
  const { reason, remedy } = isPluginError(error) ? error : { reason: String(error), remedy: '' };
  return { ...problem(check, reason, remedy || 'see the message'), follows: rootOf(error) };
}

/** What an SDC that works can meet, too: it follows from nothing that another check tells of. */
const OF_THEIR_OWN: readonly AttachProblem[] = [
  'not-alone',
  'guid-mismatch',
  'device-missing',
  'device-mismatch',
];

function rootOf(error: unknown): Root | undefined {
  const ofGateway = [GatewayUnavailableError, GatewayAuthError, ConfigError].some(
    (kind) => error instanceof kind,
  );
  if (ofGateway) return 'gateway';
  return error instanceof AttachError && !OF_THEIR_OWN.includes(error.problem) ? 'sdc' : undefined;
}

/**
 * What has one cause, told once: problems that only follow from another are left out, and that one says what could not be looked at.
 * Where nothing names the cause, the first that follows from it stands for all.
 */
export function toldOnce(findings: readonly Finding[]): Finding[] {
  return (['gateway', 'sdc'] as const).reduce<readonly Finding[]>(foldedInto, findings).map(shown);
}

function foldedInto(findings: readonly Finding[], root: Root): readonly Finding[] {
  const following = findings.filter(({ follows }) => follows === root);
  const cause = findings.findLast(({ causes }) => causes === root) ?? following[0];
  const folded = following.filter((one) => one !== cause);
  if (cause === undefined || folded.length === 0) return findings;
  const names = [...new Set(folded.map(({ check }) => check))].filter((name) => name !== cause.check);
  const says =
    names.length === 0 ? cause.says : `${cause.says}; not looked at because of it: ${names.join(', ')}`;
  return findings
    .filter((one) => !folded.includes(one))
    .map((one) => (one === cause ? { ...one, says } : one));
}

function shown({ check, severity, says, fix }: Finding): Finding {
  return fix === undefined ? { check, severity, says } : { check, severity, says, fix };
}

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
