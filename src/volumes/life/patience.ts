import { DeviceHeldError, FilesystemError } from '../../errors.ts';
import { describeUsers } from '../device-users.ts';
import type { VolumeHost, VolumePolicy } from '../volume-host.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Device } from '../../attach/attacher.ts';

const AGAIN_MS = 100;

/** Whose patience it is. */
export interface PatientHost extends Pick<VolumeHost, 'deviceUsers'> {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly log: Pick<Log, 'debug'>;
  readonly policy: Pick<VolumePolicy, 'heldWaitMs' | 'cleanupMs'>;
}

/**
 * Does work that needs the device for itself, again and again while something else on this host claims it: multipathd and mdadm look at
 * each new device for a moment. `work` must leave the device as it was when it rejects with DeviceHeldError. Rejects with the last of
 * these, which names who has the device, when that goes on for longer than the policy's heldWaitMs.
 */
export async function patiently<T>(
  host: PatientHost,
  { device, attempt }: { readonly device: Device; readonly attempt: string },
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { clock, log, policy } = host;
  const began = clock.elapsed();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DeviceHeldError)) throw error;
      if (clock.elapsed() - began >= policy.heldWaitMs) throw await named(host, { device, attempt }, error);
      log.debug(
        { device: device.path, error: error.message },
        'something else claims the device; trying again',
      );
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}

async function named(
  { deviceUsers, policy }: PatientHost,
  { device, attempt }: { readonly device: Device; readonly attempt: string },
  cause: DeviceHeldError,
): Promise<DeviceHeldError> {
  const who = await usersOf(deviceUsers, device, AbortSignal.timeout(policy.cleanupMs));
  return new DeviceHeldError(
    `${attempt} failed: something else on this host has claimed "${device.path}" for ${Math.round(policy.heldWaitMs / 1000)} s: ${who}; ` +
      `nothing was lost. Keep multipathd and mdadm away from the SDC's devices (docs/operations.md), and try again`,
    { cause, context: { device: device.path } },
  );
}

async function usersOf(
  deviceUsers: VolumeHost['deviceUsers'],
  device: Device,
  signal: AbortSignal,
): Promise<string> {
  try {
    const users = await deviceUsers.usersOf(device, '', signal);
    return users.length === 0 ? 'no process is seen that has it, so the kernel' : describeUsers(users);
  } catch (error) {
    if (error instanceof FilesystemError) return error.message;
    throw error;
  }
}
