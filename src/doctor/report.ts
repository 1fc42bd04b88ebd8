import { worstOf, type Finding } from './finding.ts';

/** The report for people: one line each, worst last in the summary, and what to do under what is not well. */
export function reportText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, severity, says, fix }) => [
    `${severity.padEnd(8)} ${check.padEnd(width)}  ${says}`,
    ...(fix === undefined ? [] : [`${' '.repeat(9 + width)}  -> ${fix}`]),
  ]);
  const count = (severity: string): number => findings.filter((one) => one.severity === severity).length;
  const counts = [
    counted(count('problem'), 'problem'),
    counted(count('warning'), 'warning'),
    `${count('ok')} ok`,
  ];
  return `${[...lines, counts.join(', ')].join('\n')}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The report for programs. */
export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ severity: worstOf(findings), findings }, null, 2)}\n`;
}
