import type { OwnIdentity } from '../../volumes/identity.ts';
import type { HostReadiness } from '../../volumes/ports.ts';
import type { ReadinessCheck } from './readiness.ts';

/** Ready once the array has said that it knows and has approved this host's SDC, and nothing is known against it since. */
export function sdcCheck(host: {
  readonly identity: Pick<OwnIdentity, 'last'>;
  readonly readiness: Pick<HostReadiness, 'problem'>;
}): ReadinessCheck {
  return {
    name: 'sdc',
    look: () => {
      const problem = host.readiness.problem();
      if (problem !== undefined) return { ready: false, reason: problem };
      const { last } = host.identity;
      if (last === undefined) return { ready: false, reason: 'not asked about yet' };
      const name = last.hostName === null ? '' : ` "${last.hostName}"`;
      return { ready: true, reason: `known to the array as SDC${name} ${last.hostId}` };
    },
  };
}
