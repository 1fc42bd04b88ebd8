import { FilesystemError } from '../../errors.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import type { Log } from '../../runtime/log.ts';

/** Lets go of what was or still is being waited for; nothing when that failed. */
export async function letGo(awaited: Promise<HeldDevice>): Promise<void> {
  const [held] = await Promise.allSettled([awaited]);
  if (held.status === 'fulfilled') await held.value.close();
}

/**
 * Throws the reason for which work on the device failed: that it is another by now, if so (AttachError 'device-mismatch'), else the cause
 * as it is, also before the device was held.
 */
export async function throwReason(
  cause: unknown,
  { held, log }: { held: HeldDevice | undefined; log: Log },
  signal: AbortSignal,
): Promise<never> {
  if (cause instanceof FilesystemError && held !== undefined && !signal.aborted) {
    log.debug({ device: held.device.path, error: cause.message }, 'failed; looking whether it was another');
    await held.assertSame(signal);
  }
  throw cause;
}
