import { AttachError } from '../../errors.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { Device, HeldDevice } from '../../attach/attacher.ts';

/** A volume as the array has it, and what it is wanted for. */
export interface Awaited {
  readonly id: VolumeId;
  readonly sizeKiB: number;
  /** To begin an error with: `mounting volume "db"`. */
  readonly attempt: string;
}

/**
 * The device of a volume that is mapped to this host, once it is here and as large as the volume. Rejects with AttachError:
 * with what is wrong with the SDC where that keeps the device away, else 'device-missing', and 'device-mismatch' for a
 * device that contradicts itself or has another size, which may hold another volume's data. It is held from then on (rule 14): to be
 * closed before the volume is unmapped.
 */
export async function awaitDevice(
  { attacher }: Pick<VolumeHost, 'attacher'>,
  volume: Awaited,
  me: HostIdentity,
  signal: AbortSignal,
): Promise<HeldDevice> {
  const hold = (device: Device): Promise<HeldDevice> =>
    attacher.holdDevice(me.systemId, volume.id, device, signal);
  const sizeBytes = volume.sizeKiB * 1024;
  try {
    const device = await attacher.waitForDevice(me.systemId, volume.id, signal);
    if (device.sizeBytes === sizeBytes) return await hold(device);
    // Grown at the array: the SDC learns the new size when asked to look again.
    await attacher.rescan(signal);
    const again = await attacher.waitForDevice(me.systemId, volume.id, signal);
    if (again.sizeBytes === sizeBytes) return await hold(again);
    throw otherSize(again, volume);
  } catch (cause) {
    if (!(cause instanceof AttachError)) throw cause;
    if (cause.problem === 'device-missing') await attacher.assertUsable(me.systemId, signal);
    throw attempted(volume, cause);
  }
}

function otherSize(device: Device, { id, sizeKiB }: Awaited): AttachError {
  return new AttachError(
    `device "${device.path}" has ${device.sizeBytes} bytes and volume "${id}" has ${sizeKiB * 1024}, so it is another ` +
      `volume's or the SDC does not know the new size; nothing was touched`,
    { remedy: 'run "drv_cfg --rescan" and try again', problem: 'device-mismatch' },
  );
}

/** The same error, which tells now what it kept from being done. */
function attempted({ attempt, id }: Awaited, cause: AttachError): AttachError {
  return new AttachError(`${attempt} failed: ${cause.reason}`, {
    remedy: cause.remedy,
    problem: cause.problem,
    cause,
    context: { ...cause.context, volumeId: id },
  });
}
