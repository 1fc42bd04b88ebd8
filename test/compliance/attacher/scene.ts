import type { VolumeId } from '../../../src/array/ids.ts';
import type { Device, HeldDevice } from '../../../src/attach/attacher.ts';
import type { OpenHost } from './subject.ts';
import { soon } from '../soon.ts';

export const MISMATCH = { code: 'SDC', problem: 'device-mismatch' };
export const MISSING = { code: 'SDC', problem: 'device-missing', retryable: true };

export function wait(host: OpenHost, volumeId: VolumeId): Promise<Device> {
  return host.settle(host.attacher.waitForDevice(host.systemId, volumeId, soon()));
}

/** The device of a volume that the host is given now. */
export async function arrived(host: OpenHost, volumeId: VolumeId): Promise<Device> {
  await host.outside.give(volumeId);
  return wait(host, volumeId);
}

export function find(host: OpenHost, volumeId: VolumeId): Promise<Device | undefined> {
  return host.attacher.findDevice(host.systemId, volumeId);
}

export function hold(host: OpenHost, volumeId: VolumeId, device: Device): Promise<HeldDevice> {
  return host.attacher.holdDevice(host.systemId, volumeId, device, soon());
}

/** The device of a volume that the host is given now, held. */
export async function arrivedAndHeld(host: OpenHost, volumeId: VolumeId): Promise<HeldDevice> {
  return hold(host, volumeId, await arrived(host, volumeId));
}
