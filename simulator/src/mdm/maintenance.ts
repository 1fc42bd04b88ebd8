import type { Cluster } from './cluster.ts';
import { faultSetById } from './domains.ts';
import type { SdsRecord } from './records.ts';
import { sdsById } from './sdss.ts';

/** How an SDS can rest: at once with its data left alone, or after another copy was made of it. */
export type MaintenanceMode = 'InstantMaintenanceMode' | 'ProtectedMaintenanceMode';

/** Of the product's table; all but the first two numbers are reckoned from their neighbours [codes, spec45]. */
const RESULTS = {
  SUCCESS: 65,
  TGT_ALREADY_IN_MM: 425,
  TGT_NOT_IN_MM: 426,
  TGT_MM_CONFILICT: 427,
} as const;

/** What became of one SDS; the request as a whole has succeeded all the same. */
export interface MaintenanceResult {
  readonly sdsId: string;
  readonly message: keyof typeof RESULTS;
  readonly resultCode: string;
}

/** Whom a request is about. */
export type MaintenanceTarget = { readonly sdsId: string } | { readonly faultSetId: string };

function result(sds: SdsRecord, message: keyof typeof RESULTS): MaintenanceResult {
  return { sdsId: sds.id, message, resultCode: String(RESULTS[message]) };
}

/** Throws 78 or "Could not find the Fault Set". */
function targetsOf(cluster: Cluster, target: MaintenanceTarget): SdsRecord[] {
  if ('sdsId' in target) return [sdsById(cluster, target.sdsId)];
  const { id } = faultSetById(cluster, target.faultSetId);
  return [...cluster.state.sdss.values()].filter((sds) => sds.faultSetId === id);
}

/** Lets SDSs rest. Refused, each for itself, while one that shares a pool rests and belongs to another fault set. */
export function enterMaintenance(
  cluster: Cluster,
  target: MaintenanceTarget,
  mode: MaintenanceMode,
): MaintenanceResult[] {
  return targetsOf(cluster, target).map((sds) => {
    if (sds.maintenance !== false) return result(sds, 'TGT_ALREADY_IN_MM');
    if (restingBeside(cluster, sds)) return result(sds, 'TGT_MM_CONFILICT');
    cluster.state.sdss.put({ ...sds, maintenance: mode });
    return result(sds, 'SUCCESS');
  });
}

/** Ends the rest of SDSs. Refused for one that does not rest in this way. */
export function exitMaintenance(
  cluster: Cluster,
  target: MaintenanceTarget,
  mode: MaintenanceMode,
): MaintenanceResult[] {
  return targetsOf(cluster, target).map((sds) => {
    if (sds.maintenance !== mode) return result(sds, 'TGT_NOT_IN_MM');
    cluster.state.sdss.put({ ...sds, maintenance: false });
    return result(sds, 'SUCCESS');
  });
}

function restingBeside(cluster: Cluster, sds: SdsRecord): boolean {
  const { sdss } = cluster.state;
  const pools = poolsOf(cluster, sds);
  return [...sdss.values()].some((other) => {
    const isSameUnit =
      other.id === sds.id || (sds.faultSetId !== null && other.faultSetId === sds.faultSetId);
    if (other.maintenance === false || isSameUnit) return false;
    return [...poolsOf(cluster, other)].some((poolId) => pools.has(poolId));
  });
}

function poolsOf(cluster: Cluster, sds: SdsRecord): Set<string> {
  const { devices, devicesBySds } = cluster.state;
  return new Set(devices.many(devicesBySds.ids(sds.id)).map((device) => device.poolId));
}
