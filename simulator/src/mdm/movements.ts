import { capacityOf } from './capacity.ts';
import type { Cluster } from './cluster.ts';
import type { DeviceRecord, MovementKind, MovementRecord, PoolRecord } from './records.ts';

/** KiB of a movement that still have to travel. */
function remainingKiB(cluster: Cluster, movement: MovementRecord): number {
  const moved = ((cluster.now() - movement.startedAt) / 1000) * movement.kibPerSecond;
  return Math.max(0, Math.floor(movement.totalKiB - moved));
}

/** What of each kind is under way in a pool, in raw KiB. */
export function movingIn(cluster: Cluster, poolId: string): Record<MovementKind, number> {
  const { movements, movementsByPool } = cluster.state;
  const sums: Record<MovementKind, number> = { rebalance: 0, 'forward-rebuild': 0, 'backward-rebuild': 0 };
  for (const movement of movements.many(movementsByPool.ids(poolId))) {
    sums[movement.kind] += remainingKiB(cluster, movement);
  }
  return sums;
}

export interface NewMovement {
  readonly pool: PoolRecord;
  readonly kind: MovementKind;
  readonly causeId: string;
  readonly totalKiB: number;
}

/** Sets data in motion, unless there is none to move or the pool's settings forbid it. */
export function startMovement(cluster: Cluster, request: NewMovement): void {
  const { pool, kind, causeId } = request;
  const allowed = kind === 'rebalance' ? pool.rebalanceEnabled : pool.rebuildEnabled;
  const totalKiB = Math.floor(request.totalKiB);
  if (!allowed || totalKiB <= 0) return;
  cluster.state.movements.put({
    id: cluster.state.nextId('Movement'),
    poolId: pool.id,
    kind,
    causeId,
    totalKiB,
    startedAt: cluster.now(),
    kibPerSecond: cluster.movementKiBPerSecond,
  });
}

/** Whether anything has arrived that `settleMovements` would end. */
export function isSettled(cluster: Cluster): boolean {
  const movements = [...cluster.state.movements.values()];
  if (movements.some((movement) => remainingKiB(cluster, movement) === 0)) return false;
  const busy = new Set(movements.map((movement) => movement.causeId));
  return ![...cluster.state.devices.values()].some((device) => device.removing && !busy.has(device.id));
}

/** Ends what has arrived: finished movements go, and with them devices that were waiting to be empty. */
export function settleMovements(cluster: Cluster): void {
  const { movements, devices } = cluster.state;
  for (const movement of [...movements.values()]) {
    if (remainingKiB(cluster, movement) === 0) movements.delete(movement.id);
  }
  const busy = new Set([...movements.values()].map((movement) => movement.causeId));
  for (const device of [...devices.values()]) {
    if (device.removing && !busy.has(device.id)) devices.delete(device.id);
  }
}

/** Raw data on each device of a pool; the sum over the devices is what the pool uses. */
export function dataOnDevices(cluster: Cluster, pool: PoolRecord): Map<string, number> {
  const { state } = cluster;
  const devices = state.devices.many(state.devicesByPool.ids(pool.id));
  const movements = state.movements.many(state.movementsByPool.ids(pool.id));
  const used = capacityOf(cluster, pool).usedKiB;
  const data = new Map<string, number>(devices.map((device) => [device.id, 0]));
  const holding = devices.filter((device) => holdsData(cluster, device));
  let free = used;
  for (const device of devices) {
    const stuck = stuckOn(cluster, { device, movements, used, holding });
    if (stuck === undefined) continue;
    data.set(device.id, Math.min(free, stuck));
    free -= data.get(device.id) ?? 0;
  }
  spread(
    free,
    holding.filter((device) => !isMoving(device, movements)),
    data,
  );
  return data;
}

function holdsData(cluster: Cluster, device: DeviceRecord): boolean {
  return !device.removing && !device.failed && cluster.state.sdss.get(device.sdsId)?.connected !== false;
}

function isMoving(device: DeviceRecord, movements: readonly MovementRecord[]): boolean {
  return movements.some((movement) => movement.causeId === device.id);
}

interface Placement {
  readonly device: DeviceRecord;
  readonly movements: readonly MovementRecord[];
  readonly used: number;
  readonly holding: readonly DeviceRecord[];
}

/** Data on a device that fills or empties, undefined for one that simply has its share. */
function stuckOn(cluster: Cluster, placement: Placement): number | undefined {
  const { device, movements, used, holding } = placement;
  const own = movements.filter((movement) => movement.causeId === device.id);
  const waiting = own.reduce((sum, movement) => sum + remainingKiB(cluster, movement), 0);
  if (device.removing) return waiting;
  if (!holdsData(cluster, device)) {
    const rebuilding = movements.filter(({ causeId }) => causeId === device.sdsId || causeId === device.id);
    return rebuilding.reduce((sum, movement) => sum + remainingKiB(cluster, movement), 0);
  }
  if (own.length === 0) return undefined;
  const total = holding.reduce((sum, other) => sum + other.limitKiB, 0);
  return Math.max(0, Math.floor((used * device.limitKiB) / total) - waiting);
}

function spread(amount: number, devices: readonly DeviceRecord[], data: Map<string, number>): void {
  const total = devices.reduce((sum, device) => sum + device.limitKiB, 0);
  let left = amount;
  for (const [position, device] of devices.entries()) {
    const last = position === devices.length - 1;
    const share = last ? left : Math.floor((amount * device.limitKiB) / total);
    data.set(device.id, (data.get(device.id) ?? 0) + share);
    left -= share;
  }
}
