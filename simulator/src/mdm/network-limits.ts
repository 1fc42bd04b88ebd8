import type { Cluster } from './cluster.ts';
import { domainById } from './domains.ts';
import { refusal } from './failures.ts';
import type { NetworkLimits } from './records.ts';

const LEAST_KBPS = 5 * 1024;

/** Nothing is limited. */
export const NO_NETWORK_LIMITS: NetworkLimits = {
  rebuild: 0,
  rebalance: 0,
  vtreeMigration: 0,
  overallIo: 0,
};

/**
 * Sets what the SDSs of a domain may send; what is undefined keeps its value, 0 lifts a limit. Throws where one is too low, or
 * the overall one not over the others [codes].
 */
export function setNetworkLimits(
  cluster: Cluster,
  domainId: string,
  asked: { readonly [Kind in keyof NetworkLimits]: number | undefined },
): void {
  const domain = domainById(cluster, domainId);
  const before = domain.networkLimits ?? NO_NETWORK_LIMITS;
  const after: NetworkLimits = {
    rebuild: asked.rebuild ?? before.rebuild,
    rebalance: asked.rebalance ?? before.rebalance,
    vtreeMigration: asked.vtreeMigration ?? before.vtreeMigration,
    overallIo: asked.overallIo ?? before.overallIo,
  };
  const { overallIo, ...others } = after;
  const isTooLow = Object.values(after).some((limit) => limit !== 0 && limit < LEAST_KBPS);
  const isOver = overallIo !== 0 && Object.values(others).some((limit) => limit >= overallIo);
  if (isTooLow || isOver) throw refusal('INVALID_TGT_NETWORK_LIMITS');
  cluster.state.domains.put({ ...domain, networkLimits: after });
}
