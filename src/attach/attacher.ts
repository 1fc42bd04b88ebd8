import type { SystemId, VolumeId } from '../array/ids.ts';

/** A block device of this host that carries a volume. */
export interface Device {
  /** The stable by-id path, /dev/disk/by-id/emc-vol-<system>-<volume>. */
  readonly path: string;
  /** The kernel's own node behind it, for example /dev/scinia. */
  readonly node: string;
  /** major:minor as mountinfo writes it. */
  readonly number: string;
  readonly sizeBytes: number;
  /**
   * Counts every disk that the kernel has shown since its boot, so it tells two apart that had one number after the
   * other; undefined where the kernel does not tell (before 5.15).
   */
  readonly diskSequence?: string | undefined;
  /**
   * While it is held: where programs open it. Leads to the very node that was identified, whatever the node's path leads to by
   * then, and nowhere any more once it was let go.
   */
  readonly heldPath?: string | undefined;
}

/** A device from its identification to its last use (rule 14). */
export interface HeldDevice {
  readonly device: Device;
  /**
   * Rejects with AttachError 'device-mismatch' unless link, node, number, size and disk sequence are those of the start and the disk
   * opened then still answers. To be called before and after whatever writes to the device or hands it out.
   */
  assertSame(signal: AbortSignal): Promise<void>;
  /** Lets go of the disk, which must come before its volume is unmapped. */
  close(): Promise<void>;
}

/** This host's SDC. Implemented by sdc/. Rejections: AttachError, CancelledError. */
export interface Attacher {
  /** Upper-case GUID: the configured one, else what drv_cfg says; cached once known. */
  guid(signal: AbortSignal): Promise<string>;
  /**
   * The volume's device once it is there and its link, kernel node and size agree; watches /dev/disk/by-id, asks for a
   * rescan when nothing came, rejects with AttachError 'device-missing' after the configured wait (or at the signal).
   */
  waitForDevice(systemId: SystemId, volumeId: VolumeId, signal: AbortSignal): Promise<Device>;
  /** The device if it is there now, undefined if not. */
  findDevice(systemId: SystemId, volumeId: VolumeId): Promise<Device | undefined>;
  /** Holds a device just found, until it is closed. Rejects as HeldDevice.assertSame. */
  holdDevice(
    systemId: SystemId,
    volumeId: VolumeId,
    device: Device,
    signal: AbortSignal,
  ): Promise<HeldDevice>;
  /** Makes the SDC read its volume list and sizes again. */
  rescan(signal: AbortSignal): Promise<void>;
  /** What can be said about the SDC from this host alone; rejects with AttachError that names the problem. */
  assertUsable(systemId: SystemId, signal: AbortSignal): Promise<void>;
}
