import { CancelledError, AttachError, type AttachProblem } from '../../../../src/errors.ts';
import type { SystemId, VolumeId } from '../../../../src/array/ids.ts';
import type { Attacher, Device, HeldDevice } from '../../../../src/attach/attacher.ts';
import type { FakeKernel } from './fake-kernel.ts';
import type { VirtualClock } from './virtual-clock.ts';

const DEVICE_WAIT_MS = 30_000;
const RESCAN_AFTER_MS = 2000;
const LOOK_MS = 5;
const BROKEN: ReadonlySet<AttachProblem> = new Set(['not-installed', 'not-loaded', 'command-failed']);
/** What a device is known again by. */
const FACTS = ['path', 'node', 'number', 'sizeBytes', 'diskSequence'] as const;

interface Parts {
  readonly kernel: FakeKernel;
  readonly clock: VirtualClock;
  readonly guid: string;
  /** Of the one array that the SDC knows. */
  readonly systemId: SystemId;
}

/** This host's SDC over the fake kernel. */
export class FakeSdc implements Attacher {
  /** What assertUsable finds wrong; undefined: nothing. */
  problem: AttachProblem | undefined;
  /** udev has lost the by-id links; the devices are there. */
  linksLost = false;
  /** What is held now; no device may be when its volume is unmapped. */
  readonly held = new Set<HeldDevice>();
  readonly #parts: Parts;
  #knowsGuid = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async guid(signal: AbortSignal): Promise<string> {
    if (!this.#knowsGuid) await this.#asked(signal);
    this.#knowsGuid = true;
    return this.#parts.guid;
  }

  async waitForDevice(systemId: SystemId, volumeId: VolumeId, signal: AbortSignal): Promise<Device> {
    const { kernel, clock } = this.#parts;
    const start = clock.elapsed();
    for (;;) {
      if (signal.aborted) throw new CancelledError('waiting for the device was cancelled');
      const device = await this.findDevice(systemId, volumeId);
      if (device !== undefined) return device;
      const waitedMs = clock.elapsed() - start;
      if (waitedMs >= DEVICE_WAIT_MS) break;
      if (waitedMs >= RESCAN_AFTER_MS && !this.#isBroken) kernel.rescan();
      // Nothing wakes a sleeper of the fakes but time, so one long look is as good as watching.
      await clock.sleep(kernel.neverArrives.has(volumeId) ? DEVICE_WAIT_MS : LOOK_MS, signal);
    }
    throw new AttachError(`device of volume "${volumeId}" did not appear`, { problem: 'device-missing' });
  }

  findDevice(systemId: SystemId, volumeId: VolumeId): Promise<Device | undefined> {
    const device = systemId === this.#parts.systemId ? this.#parts.kernel.device(volumeId) : undefined;
    if (device === undefined || this.linksLost) return Promise.resolve(undefined);
    return Promise.resolve({
      path: devicePath(systemId, volumeId),
      node: `/dev/scini${volumeId.slice(-2)}`,
      number: device.number,
      sizeBytes: device.sizeKiB * 1024,
      diskSequence: device.diskSequence,
    });
  }

  async holdDevice(
    systemId: SystemId,
    volumeId: VolumeId,
    device: Device,
    signal: AbortSignal,
  ): Promise<HeldDevice> {
    let isOpen = true;
    const assertSame = async (until: AbortSignal): Promise<void> => {
      const now = await this.findDevice(systemId, volumeId);
      if (!isOpen || !FACTS.every((fact) => now?.[fact] === device[fact]))
        throw new AttachError(`device of volume "${volumeId}" is another now`, {
          problem: 'device-mismatch',
        });
      if (until.aborted) throw new CancelledError('looking at the device was cancelled');
    };
    await assertSame(signal);
    const close = (): Promise<void> => {
      isOpen = false;
      this.held.delete(held);
      return Promise.resolve();
    };
    const held = { device, assertSame, close };
    this.held.add(held);
    return held;
  }

  async rescan(signal: AbortSignal): Promise<void> {
    await this.#asked(signal);
    this.#parts.kernel.rescan();
  }

  async assertUsable(systemId: SystemId, signal: AbortSignal): Promise<void> {
    await this.#asked(signal);
    const problem = this.problem ?? (systemId === this.#parts.systemId ? undefined : 'not-connected');
    if (problem !== undefined) throw new AttachError(`this host's SDC is ${problem}`, { problem });
  }

  /** Whether the SDC answers nothing at all. */
  get #isBroken(): boolean {
    return this.problem !== undefined && BROKEN.has(this.problem);
  }

  #asked(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new CancelledError('asking the SDC was cancelled'));
    const { problem } = this;
    if (problem === undefined || !this.#isBroken) return Promise.resolve();
    return Promise.reject(new AttachError(`this host's SDC is ${problem}`, { problem }));
  }
}

export function devicePath(systemId: string, volumeId: VolumeId): string {
  return `/dev/disk/by-id/emc-vol-${systemId}-${volumeId}`;
}

export function volumeIdOfPath(path: string): VolumeId {
  return path.slice(path.lastIndexOf('-') + 1) as VolumeId;
}
