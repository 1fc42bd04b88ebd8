import type { DeviceUser } from './ports.ts';

const MOST_NAMED = 5;

/** Who uses a device, for an operator: `process 12 "xfs_repair" has it open, … and 3 more`; "nobody uses it" for nobody. */
export function describeUsers(users: readonly DeviceUser[]): string {
  if (users.length === 0) return 'nobody uses it';
  const named = users.slice(0, MOST_NAMED).map(describeUser);
  const more = users.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function describeUser({ pid, program, containerId, what }: DeviceUser): string {
  if (pid === undefined) return what;
  const called = program === undefined ? '' : ` "${program}"`;
  const inside = containerId === undefined ? '' : ` in container ${containerId.slice(0, 12)}`;
  return `process ${pid}${called}${inside} ${what}`;
}
