import { capacityOf } from './capacity.ts';
import type { Cluster } from './cluster.ts';
import { diskAt } from './disks.ts';
import { refusal } from './failures.ts';
import { dataOnDevices, settleMovements, startMovement } from './movements.ts';
import { checkedName } from './names.ts';
import { poolById } from './pools.ts';
import type { DeviceRecord, PoolRecord } from './records.ts';
import { sdsById } from './sdss.ts';

const GIB = 1024 * 1024;
/** Smallest and largest device of medium granularity pools [csi get_system_limits.json]. */
const MIN_DEVICE_KIB = 90 * GIB;
const MAX_DEVICE_KIB = 14_902 * GIB;

/** The device with this id. Throws 126 when there is none. */
export function deviceById(cluster: Cluster, id: string): DeviceRecord {
  const device = cluster.state.devices.get(id);
  if (device === undefined) throw refusal('TGT_DEVICE_NOT_FOUND');
  return device;
}

function freeDeviceName(cluster: Cluster, sdsId: string, name: string | undefined): string | null {
  const checked = checkedName(name);
  const siblings = cluster.state.devices.many(cluster.state.devicesBySds.ids(sdsId));
  if (checked !== null && siblings.some((device) => device.name === checked)) {
    throw refusal('DEV_NAME_ALREADY_EXISTS');
  }
  return checked;
}

export interface NewDevice {
  readonly name?: string | undefined;
  readonly sdsId: string;
  readonly poolId: string;
  readonly path: string;
  /** Size of the disk, where the SDS's disks have not been described. */
  readonly maxKiB: number;
  /** Use the disk whatever it holds. */
  readonly takeOver?: boolean | undefined;
  readonly limitKiB?: number | undefined;
  readonly mediaType?: string | undefined;
}

function assertRoomFor(cluster: Cluster, { sdsId, path }: NewDevice): void {
  const { devices, devicesBySds } = cluster.state;
  if (devicesBySds.count(sdsId) >= cluster.limits.devicesPerSds) throw refusal('TOO_MANY_DEVICES');
  if (devices.many(devicesBySds.ids(sdsId)).some((device) => device.path === path)) {
    throw refusal('DUPLICATE_TGT_DEVICE_NAME');
  }
}

function checkedLimit(limitKiB: number, maxKiB: number): number {
  if (limitKiB < MIN_DEVICE_KIB) throw refusal('DEV_SIZE_TOO_SMALL');
  if (limitKiB > MAX_DEVICE_KIB || limitKiB > maxKiB) throw refusal('DEV_SIZE_TOO_LARGE');
  return limitKiB;
}

/**
 * Adds a device to a pool; the pool's data then spreads onto it in time. The SDS must be there, have the disk, and find
 * it blank, unless a takeover is forced [PyPowerFlex device.py].
 */
export function createDevice(cluster: Cluster, request: NewDevice): DeviceRecord {
  const { state } = cluster;
  const pool = poolById(cluster, request.poolId);
  const sds = sdsById(cluster, request.sdsId);
  if (sds.domainId !== pool.domainId) throw refusal('FD_AND_SP_MISMATCH');
  if (!sds.connected) throw refusal('COMMUNICATION_ERROR');
  assertRoomFor(cluster, request);
  const disk = diskAt(cluster, request);
  const maxKiB = disk?.sizeKiB ?? request.maxKiB;
  const limitKiB = checkedLimit(request.limitKiB ?? maxKiB, maxKiB);
  const device: DeviceRecord = {
    name: freeDeviceName(cluster, sds.id, request.name),
    id: state.nextId('Device'),
    sdsId: sds.id,
    poolId: pool.id,
    path: request.path,
    mediaType: request.mediaType ?? pool.mediaType,
    maxKiB,
    limitKiB,
    removing: false,
    failed: disk?.broken === 'write',
  };
  state.devices.put(device);
  if (device.failed) return device;
  const capacity = capacityOf(cluster, pool);
  startMovement(cluster, {
    pool,
    kind: 'rebalance',
    causeId: device.id,
    totalKiB: (capacity.usedKiB * limitKiB) / capacity.limitKiB,
  });
  return device;
}

/** Starts to empty a device; it is gone when its data has moved, at once where there is none. Refused when the others cannot hold it. */
export function removeDevice(cluster: Cluster, id: string): void {
  const device = deviceById(cluster, id);
  if (device.removing) throw refusal('TGT_DEV_BEING_REMOVED');
  const pool = poolById(cluster, device.poolId);
  const before = capacityOf(cluster, pool).usedKiB;
  const held = dataOnDevices(cluster, pool).get(id) ?? 0;
  cluster.state.devices.put({ ...device, removing: true });
  if (before > 0 && capacityOf(cluster, pool).usedKiB < before) throw refusal('DEVICE_NEEDED');
  // What leaves a device has to go, whatever else is rebalanced in the pool.
  startMovement(cluster, {
    pool: { ...pool, rebalanceEnabled: true },
    kind: 'rebalance',
    causeId: id,
    totalKiB: held,
  });
  settleMovements(cluster);
}

/** A device fails, and what it held is copied anew from elsewhere; or it is good again. */
export function setDeviceFailed(cluster: Cluster, id: string, failed: boolean): void {
  const device = deviceById(cluster, id);
  if (device.failed === failed) return;
  const pool = poolById(cluster, device.poolId);
  const held = dataOnDevices(cluster, pool).get(id) ?? 0;
  for (const movement of [...cluster.state.movements.values()])
    if (movement.causeId === id) cluster.state.movements.delete(movement.id);
  cluster.state.devices.put({ ...device, failed });
  const own = failed ? held : (dataOnDevices(cluster, pool).get(id) ?? 0);
  const kind = failed ? 'forward-rebuild' : 'rebalance';
  startMovement(cluster, { pool, kind, causeId: id, totalKiB: own });
}

export function setDeviceName(cluster: Cluster, id: string, name: string): void {
  const device = deviceById(cluster, id);
  if (device.name === name) return;
  cluster.state.devices.put({ ...device, name: freeDeviceName(cluster, device.sdsId, name) });
}

/** Changes how much of a device may be used. */
export function setDeviceLimit(cluster: Cluster, id: string, limitKiB: number): void {
  const device = deviceById(cluster, id);
  if (limitKiB < MIN_DEVICE_KIB) throw refusal('DEV_SIZE_TOO_SMALL');
  if (limitKiB > device.maxKiB) throw refusal('DEV_SIZE_TOO_LARGE');
  cluster.state.devices.put({ ...device, limitKiB });
}

export function changeDevice(
  cluster: Cluster,
  id: string,
  settings: Partial<Pick<DeviceRecord, 'mediaType' | 'path'>>,
): void {
  cluster.state.devices.put({ ...deviceById(cluster, id), ...settings });
}

/**
 * An SDS goes away or comes back. Away: the copies it held are made again on the others. Back before that is done:
 * what is left is brought up to date on it; back later: the pool is balanced onto it again.
 */
export function setSdsConnected(cluster: Cluster, sdsId: string, connected: boolean): void {
  const sds = sdsById(cluster, sdsId);
  if (sds.connected === connected) return;
  const pools = poolsOn(cluster, sdsId);
  const held = new Map(pools.map((pool) => [pool.id, heldBy(cluster, sdsId, pool)]));
  const unfinished = [...cluster.state.movements.values()].filter((movement) => movement.causeId === sdsId);
  for (const movement of unfinished) cluster.state.movements.delete(movement.id);
  cluster.state.sdss.put({ ...sds, connected });
  for (const pool of pools) {
    const left = held.get(pool.id) ?? 0;
    if (!connected) startMovement(cluster, { pool, kind: 'forward-rebuild', causeId: sdsId, totalKiB: left });
    else if (left > 0)
      startMovement(cluster, { pool, kind: 'backward-rebuild', causeId: sdsId, totalKiB: left });
    else rebalanceOnto(cluster, sdsId, pool);
  }
}

function poolsOn(cluster: Cluster, sdsId: string): PoolRecord[] {
  const { devices, devicesBySds, pools } = cluster.state;
  return pools.many(new Set(devices.many(devicesBySds.ids(sdsId)).map((device) => device.poolId)));
}

function heldBy(cluster: Cluster, sdsId: string, pool: PoolRecord): number {
  const data = dataOnDevices(cluster, pool);
  const own = cluster.state.devices.many(cluster.state.devicesBySds.ids(sdsId));
  return own.reduce((sum, device) => sum + (data.get(device.id) ?? 0), 0);
}

function rebalanceOnto(cluster: Cluster, sdsId: string, pool: PoolRecord): void {
  const data = dataOnDevices(cluster, pool);
  for (const device of cluster.state.devices.many(cluster.state.devicesBySds.ids(sdsId))) {
    if (device.poolId !== pool.id) continue;
    startMovement(cluster, {
      pool,
      kind: 'rebalance',
      causeId: device.id,
      totalKiB: data.get(device.id) ?? 0,
    });
  }
}
