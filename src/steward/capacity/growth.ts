import { createHash } from 'node:crypto';
import { contradictionIn, formatGiB, healthOf, usedPercent } from './assessment.ts';
import type { GrowthPolicy } from '../policy.ts';
import type { ClusterReading, DeviceReading, NewDevice, PoolReading, SdsReading } from '../../array/pool.ts';

/** What the steward remembers and the array does not say. All of it may be forgotten: it only makes the steward wait. */
export interface GrowthMemory {
  /** Until the pool has been left alone for the cool-down, ms; 0 when it has. */
  readonly coolDownLeftMs: number;
  /** Disks that failed lately, as `diskKey` names them. */
  readonly failedDisks: ReadonlySet<string>;
}

export type GrowthPlan =
  /** The pool is not full enough. */
  | { readonly kind: 'idle' }
  /** It is, and something is in the way; `why` says what. */
  | { readonly kind: 'blocked'; readonly why: string }
  | { readonly kind: 'add'; readonly device: NewDevice; readonly sds: SdsReading; readonly why: string }
  /** No declared disk is left; the provider may have one. */
  | { readonly kind: 'ask'; readonly why: string };

/**
 * What to do about a pool: at most one device at a time. A pure function of policy and array, so that two stewards with one policy
 * and one array want the same device, of which the array takes one. Fault units are filled evenly: the fault set (or
 * the SDS, without fault sets) that has the least capacity in the pool gets the next device.
 */
export function planGrowth(
  pool: PoolReading,
  cluster: ClusterReading,
  policy: GrowthPolicy,
  memory: GrowthMemory,
): GrowthPlan {
  const percent = usedPercent(pool.capacity);
  if (percent < policy.above) return { kind: 'idle' };
  const why = `${percent.toFixed(1)} % used, limit ${policy.above} %`;
  const next = nextDisk(pool, cluster, policy, memory);
  if (next.kind === 'add') return { ...next, why };
  if (next.kind === 'none' && policy.provider !== undefined) return { kind: 'ask', why };
  return { kind: 'blocked', why: `${why}; ${next.why}` };
}

/** The declared disk that a pool would get now, however full it is, or why it gets none: something is in the way, or none is left. */
export function nextDisk(
  pool: PoolReading,
  cluster: ClusterReading,
  policy: GrowthPolicy,
  memory: GrowthMemory,
):
  | { readonly kind: 'add'; readonly device: NewDevice; readonly sds: SdsReading }
  | { readonly kind: 'blocked' | 'none'; readonly why: string } {
  const obstacle = obstacleTo(pool, cluster, policy, memory);
  if (obstacle !== undefined) return { kind: 'blocked', why: obstacle };
  const candidates = candidatesOf(pool, cluster, policy, memory);
  const [best] = candidates.free.toSorted(byNeed(pool, cluster));
  if (best !== undefined) return { kind: 'add', ...best };
  const reasons = candidates.refused.length === 0 ? 'all are in use' : candidates.refused.join(', ');
  return { kind: 'none', why: `no declared disk can be added: ${reasons}` };
}

/** The device of this policy's kind for a disk. Throws nothing; the name is the same whoever asks. */
export function deviceFor(pool: PoolReading, sds: SdsReading, path: string): NewDevice {
  // Names are unique within an SDS and at most 31 long; paths are longer.
  const mark = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return { poolId: pool.id, sdsId: sds.id, path, name: `steward-${mark}` };
}

export function diskKey({ sdsId, path }: Pick<NewDevice, 'sdsId' | 'path'>): string {
  return `${sdsId} ${path}`;
}

/** Why nothing may be added to this pool just now, whatever disks there are. */
export function obstacleTo(
  pool: PoolReading,
  cluster: ClusterReading,
  policy: GrowthPolicy,
  memory: Pick<GrowthMemory, 'coolDownLeftMs'>,
): string | undefined {
  const { capacity } = pool;
  const contradiction = contradictionIn(capacity);
  if (contradiction !== undefined) return `the array's numbers contradict each other: ${contradiction}`;
  const { impaired, rebuilding, rebalancing } = healthOf(capacity);
  if (rebuilding) return `a rebuild is under way, ${formatGiB(capacity.rebuildKiB)} left`;
  if (impaired) return 'some of its data is degraded, failed or in maintenance';
  if (rebalancing) return `it is being rebalanced, ${formatGiB(capacity.rebalanceKiB)} left`;
  if (!pool.rebalanceEnabled) return 'rebalancing is switched off in it, so a new device would stay empty';
  const devices = devicesOf(pool, cluster);
  const troubled = devices.find(({ trouble }) => trouble !== undefined);
  if (troubled !== undefined) return `device ${nameOf(troubled)} is ${troubled.trouble ?? ''}`;
  const sds = cluster.sdss.find(({ id, trouble }) => trouble !== undefined && holdsPart(devices, id));
  if (sds !== undefined) return `SDS "${sds.name}" is ${sds.trouble ?? ''}`;
  return capReached(devices, policy) ?? coolDown(memory.coolDownLeftMs);
}

function coolDown(leftMs: number): string | undefined {
  return leftMs > 0 ? `cooling down for ${Math.ceil(leftMs / 1000)} s more` : undefined;
}

function capReached(devices: readonly DeviceReading[], policy: GrowthPolicy): string | undefined {
  if (devices.length >= policy.maxDevices)
    return `it has as many devices as maxDevices allows, ${policy.maxDevices}`;
  const { maxCapacity } = policy;
  const largest = Math.max(0, ...devices.map(({ limitKiB }) => limitKiB));
  const total = devices.reduce((sum, { limitKiB }) => sum + limitKiB, 0);
  // The array does not say how large a disk is before it is added; the pool's largest device stands for it.
  if (maxCapacity === undefined || total + largest <= maxCapacity) return undefined;
  return `one more device would exceed its maxCapacity, ${formatGiB(maxCapacity)}`;
}

interface Candidate {
  readonly device: NewDevice;
  readonly sds: SdsReading;
}

function candidatesOf(
  pool: PoolReading,
  cluster: ClusterReading,
  policy: GrowthPolicy,
  memory: GrowthMemory,
): { free: Candidate[]; refused: string[] } {
  const free: Candidate[] = [];
  const refused: string[] = [];
  for (const { sds: wanted, path } of policy.devices) {
    const sds = findSds(cluster, pool, wanted);
    if (typeof sds === 'string') {
      refused.push(`${path}: ${sds}`);
      continue;
    }
    const device = deviceFor(pool, sds, path);
    if (isPresent(cluster, device)) continue;
    if (memory.failedDisks.has(diskKey(device))) refused.push(`${path} of SDS "${sds.name}" failed lately`);
    else free.push({ device, sds });
  }
  return { free, refused };
}

/** The SDS of this name or id in the pool's domain that can take a device, or why there is none. */
export function findSds(cluster: ClusterReading, pool: PoolReading, wanted: string): SdsReading | string {
  const sds = cluster.sdss.find(({ id, name }) => id === wanted || name === wanted);
  if (sds === undefined) return `the array has no SDS "${wanted}"`;
  if (sds.domainId !== pool.domainId) return `SDS "${sds.name}" is in another protection domain`;
  return sds.trouble === undefined ? sds : `SDS "${sds.name}" is ${sds.trouble}`;
}

/** Whether the array has this disk already, in whatever pool. */
export function isPresent(cluster: ClusterReading, { sdsId, path, name }: NewDevice): boolean {
  return cluster.devices.some(
    (device) => device.sdsId === sdsId && (device.name === name || device.paths.includes(path)),
  );
}

/** Neediest fault unit first, then the neediest SDS in it; the policy's order decides the rest. */
function byNeed(pool: PoolReading, cluster: ClusterReading): (one: Candidate, other: Candidate) => number {
  const bySds = new Map<string, number>();
  for (const { sdsId, limitKiB } of devicesOf(pool, cluster))
    bySds.set(sdsId, (bySds.get(sdsId) ?? 0) + limitKiB);
  const byUnit = new Map<string, number>();
  for (const sds of cluster.sdss)
    byUnit.set(unitOf(sds), (byUnit.get(unitOf(sds)) ?? 0) + (bySds.get(sds.id) ?? 0));
  return (one, other) =>
    (byUnit.get(unitOf(one.sds)) ?? 0) - (byUnit.get(unitOf(other.sds)) ?? 0) ||
    (bySds.get(one.sds.id) ?? 0) - (bySds.get(other.sds.id) ?? 0);
}

function unitOf(sds: SdsReading): string {
  return sds.faultSetId ?? sds.id;
}

export function devicesOf(pool: PoolReading, cluster: ClusterReading): DeviceReading[] {
  return cluster.devices.filter(({ poolId }) => poolId === pool.id);
}

function holdsPart(devices: readonly DeviceReading[], sdsId: string): boolean {
  return devices.some((device) => device.sdsId === sdsId);
}

function nameOf({ name, paths, id }: DeviceReading): string {
  return `"${name ?? paths[0] ?? id}"`;
}
