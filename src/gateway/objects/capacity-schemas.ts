import * as z from 'zod';
import { asDeviceId, asPoolId, asSdsId } from '../../array/ids.ts';
import type { DeviceReading, PoolCapacity, SdsReading } from '../../array/pool.ts';
import { boolean, id, name, number } from '../wire/fields.ts';

/*
 * Space, servers and disks. Numbers about health are required: an array that does not say whether data is degraded must not
 * be taken for a healthy one.
 */

const REQUIRED = {
  capacityLimitInKb: number,
  spareCapacityInKb: number,
  capacityInUseInKb: number,
  unusedCapacityInKb: number,
  failedCapacityInKb: number,
  degradedHealthyCapacityInKb: number,
  degradedFailedCapacityInKb: number,
  inMaintenanceCapacityInKb: number,
  unreachableUnusedCapacityInKb: number,
  fwdRebuildCapacityInKb: number,
  bckRebuildCapacityInKb: number,
  normRebuildCapacityInKb: number,
  rebalanceCapacityInKb: number,
};

/** Spelt so from 2.x on; some releases have it with Kb as well, later ones perhaps with Kb alone ([cinder]). */
const THIN_COMMITTED = 'thinCapacityAllocatedInKm';

/** What to ask for: the properties that every release has. */
export const CAPACITY_PROPERTIES: readonly string[] = [...Object.keys(REQUIRED), THIN_COMMITTED];

export const capacitySchema = z
  .object({
    ...REQUIRED,
    thinCapacityAllocatedInKm: number.nullish(),
    thinCapacityAllocatedInKb: number.nullish(),
  })
  .transform((wire): PoolCapacity => ({
    limitKiB: wire.capacityLimitInKb,
    spareKiB: wire.spareCapacityInKb,
    usedKiB: wire.capacityInUseInKb,
    unusedKiB: wire.unusedCapacityInKb,
    thinCommittedKiB: wire.thinCapacityAllocatedInKb ?? wire.thinCapacityAllocatedInKm ?? 0,
    failedKiB: wire.failedCapacityInKb,
    degradedKiB: wire.degradedHealthyCapacityInKb + wire.degradedFailedCapacityInKb,
    inMaintenanceKiB: wire.inMaintenanceCapacityInKb,
    unreachableKiB: wire.unreachableUnusedCapacityInKb,
    rebuildKiB: wire.fwdRebuildCapacityInKb + wire.bckRebuildCapacityInKb + wire.normRebuildCapacityInKb,
    rebalanceKiB: wire.rebalanceCapacityInKb,
  }));

/** Statistics of several pools by id, each to be read with capacitySchema. */
export const capacitiesSchema = z.record(z.string(), capacitySchema);

/** The first state that is not as it should be. Arrays that do not tell a state have nothing to complain of. */
function troubleOf(states: readonly (readonly [string | null, string])[]): string | undefined {
  return states.find(([state, good]) => state !== null && state !== good)?.[0] ?? undefined;
}

export const sdsSchema = z
  .object({
    id,
    name,
    protectionDomainId: id,
    faultSetId: name,
    sdsState: name,
    membershipState: name,
    mdmConnectionState: name,
    maintenanceState: name,
  })
  .transform((wire): SdsReading => ({
    id: asSdsId(wire.id),
    name: wire.name ?? wire.id,
    domainId: wire.protectionDomainId,
    faultSetId: wire.faultSetId,
    trouble: troubleOf([
      [wire.mdmConnectionState, 'Connected'],
      [wire.membershipState, 'Joined'],
      [wire.sdsState, 'Normal'],
      [wire.maintenanceState, 'NoMaintenance'],
    ]),
  }));

/** Replies spell `PathName` where requests spell `Pathname` ([ansible-powerflex] device.py). */
export const deviceSchema = z
  .object({
    id,
    name,
    sdsId: id,
    storagePoolId: name,
    deviceCurrentPathName: name,
    deviceOriginalPathName: name,
    deviceState: name,
    errorState: name,
    capacityLimitInKb: number,
  })
  .transform((wire): DeviceReading => ({
    id: asDeviceId(wire.id),
    name: wire.name,
    sdsId: asSdsId(wire.sdsId),
    // Devices of acceleration pools are in no storage pool.
    poolId: wire.storagePoolId === null ? null : asPoolId(wire.storagePoolId),
    paths: [wire.deviceCurrentPathName, wire.deviceOriginalPathName].filter((path) => path !== null),
    trouble: troubleOf([
      [wire.errorState, 'None'],
      [wire.deviceState, 'Normal'],
    ]),
    limitKiB: wire.capacityLimitInKb,
  }));

export const poolStateSchema = z.object({
  id: id.transform(asPoolId),
  name,
  protectionDomainId: id,
  rebalanceEnabled: boolean.nullish(),
});

export const addedDeviceSchema = z.object({ id: id.transform(asDeviceId) });
