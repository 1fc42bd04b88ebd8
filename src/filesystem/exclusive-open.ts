import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { DeviceHeldError, FilesystemError } from '../errors.ts';
import { hasCode } from '../host/files.ts';
import type { Device } from '../attach/attacher.ts';
import { pathToOpen } from './path-to-open.ts';

/**
 * Rule 5: whether anything in the kernel, in any mount namespace, still holds the device. Opening a block device with
 * O_EXCL claims it against mounts, device mapper, md and swap [Linux block/bdev.c]; the claim is dropped at once.
 * Rejects with FilesystemError when the device cannot be asked, such as one that is gone.
 */
export async function isDeviceHeld(device: Device): Promise<boolean> {
  try {
    const handle = await open(pathToOpen(device), constants.O_RDONLY | constants.O_EXCL);
    await handle.close();
    return false;
  } catch (error) {
    if (hasCode(error, 'EBUSY')) return true;
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot tell whether "${device.path}" is in use: ${why}`, { cause: error });
  }
}

/**
 * The error of a program that wanted the device for itself; DeviceHeldError in place of it when something has claimed the device, which
 * programs say in many words.
 */
export async function orHeld(error: unknown, device: Device): Promise<unknown> {
  if (!(error instanceof FilesystemError) || !(await isClaimed(device))) return error;
  return new DeviceHeldError(error.message, { cause: error });
}

/** As isDeviceHeld; false, too, when the device cannot be asked. */
export async function isClaimed(device: Device): Promise<boolean> {
  try {
    return await isDeviceHeld(device);
  } catch (error) {
    if (error instanceof FilesystemError) return false;
    throw error;
  }
}
