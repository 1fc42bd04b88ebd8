import type { Device } from '../../../src/attach/attacher.ts';
import type { Filesystems } from '../../../src/volumes/ports.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';

/** What happens to the host without anybody who uses the port. */
interface Outside {
  /** Somebody puts on the device what is no file system of ours. */
  putForeign(device: Device): Promise<void>;
  /** The device becomes twice as large; as what it is identified then. */
  double(device: Device): Promise<Device>;
  /** What was written there is on the device, and its log need not be empty: sync(1), not unmounted. */
  flush(mountpoint: string): Promise<void>;
  /** Another device with what lies on this one now, as after a power cut. */
  copyOf(device: Device): Promise<Device>;
  /** A process opens a file below the mountpoint, and keeps it open until it is let go of. */
  openFile(mountpoint: string): Promise<() => Promise<void>>;
  /** fsfreeze -f, until it is thawed; at the end of the test by itself. */
  freeze(mountpoint: string): Promise<() => Promise<void>>;
}

/** A host of its own for one test, which also ends it: nothing is mounted. */
export interface OpenFilesystemHost {
  readonly filesystems: Filesystems;
  /** Whether this host lets a mounted file system of the kind grow. */
  readonly canGrow: boolean;
  readonly outside: Outside;
  /** The device of a volume that is being made: blank. */
  blank(): Promise<Device>;
  /** A device that was there and is gone, with its node. */
  gone(): Promise<Device>;
}

export type OpenFilesystems = (fs: FilesystemType) => Promise<OpenFilesystemHost>;
