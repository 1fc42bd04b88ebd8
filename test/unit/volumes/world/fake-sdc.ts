import { CancelledError, AttachError, type AttachProblem } from '../../../../src/errors.ts';
import type { SystemId, VolumeId } from '../../../../src/array/ids.ts';
import type { Attacher, Device, HeldDevice } from '../../../../src/attach/attacher.ts';
import type { FakeKernel } from './fake-kernel.ts';
import type { VirtualClock } from './virtual-clock.ts';

const DEVICE_WAIT_MS = 30_000;
const LOOK_MS = 5;

/** This host's SDC over the fake kernel. */
export class FakeSdc implements Attacher {
  /** What assertUsable finds wrong; undefined: nothing. */
  problem: AttachProblem | undefined;
  /** udev has lost the by-id links; the devices are there. */
  linksLost = false;
  readonly #kernel: FakeKernel;
  readonly #clock: VirtualClock;
  readonly #guid: string;

  constructor(kernel: FakeKernel, clock: VirtualClock, guid: string) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#guid = guid;
  }

  guid(): Promise<string> {
    return Promise.resolve(this.#guid);
  }

  async waitForDevice(systemId: SystemId, volumeId: VolumeId, signal: AbortSignal): Promise<Device> {
    const until = this.#clock.elapsed() + DEVICE_WAIT_MS;
    for (;;) {
      const device = await this.findDevice(systemId, volumeId);
      if (device !== undefined) return device;
      if (signal.aborted) throw new CancelledError('waiting for the device was cancelled');
      if (this.#clock.elapsed() >= until) break;
      // Nothing wakes a sleeper of the fakes but time, so one long look is as good as watching.
      await this.#clock.sleep(this.#kernel.neverArrives.has(volumeId) ? DEVICE_WAIT_MS : LOOK_MS, signal);
    }
    throw new AttachError(`device of volume "${volumeId}" did not appear`, { problem: 'device-missing' });
  }

  findDevice(systemId: SystemId, volumeId: VolumeId): Promise<Device | undefined> {
    const device = this.#kernel.device(volumeId);
    if (device === undefined || this.linksLost) return Promise.resolve(undefined);
    return Promise.resolve({
      path: devicePath(systemId, volumeId),
      node: `/dev/scini${volumeId.slice(-2)}`,
      number: device.number,
      sizeBytes: device.sizeKiB * 1024,
    });
  }

  /** Devices held now; none may be when its volume is unmapped. */
  readonly held = new Set<VolumeId>();

  async holdDevice(
    systemId: SystemId,
    volumeId: VolumeId,
    device: Device,
    signal: AbortSignal,
  ): Promise<HeldDevice> {
    const disk = this.#kernel.device(volumeId)?.volume;
    const assertSame = async (): Promise<void> => {
      if (signal.aborted) throw new CancelledError('looking at the device was cancelled');
      const now = await this.findDevice(systemId, volumeId);
      const isSame = now?.number === device.number && now.sizeBytes === device.sizeBytes;
      if (isSame && this.#kernel.device(volumeId)?.volume === disk) return;
      throw new AttachError(`device of volume "${volumeId}" is another now`, { problem: 'device-mismatch' });
    };
    await assertSame();
    this.held.add(volumeId);
    const close = (): Promise<void> => {
      this.held.delete(volumeId);
      return Promise.resolve();
    };
    return { device, assertSame, close };
  }

  rescan(): Promise<void> {
    this.#kernel.rescan();
    return Promise.resolve();
  }

  assertUsable(): Promise<void> {
    if (this.problem === undefined) return Promise.resolve();
    return Promise.reject(new AttachError(`this host's SDC is ${this.problem}`, { problem: this.problem }));
  }
}

export function devicePath(systemId: string, volumeId: VolumeId): string {
  return `/dev/disk/by-id/emc-vol-${systemId}-${volumeId}`;
}

export function volumeIdOfPath(path: string): VolumeId {
  return path.slice(path.lastIndexOf('-') + 1) as VolumeId;
}
