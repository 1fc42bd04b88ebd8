import { DeviceHeldError, FilesystemError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import type { Device } from '../attach/attacher.ts';
import { assertZero } from './blank.ts';
import { dropCaches } from './drop-caches.ts';
import { pathToOpen } from './path-to-open.ts';
import { isDeviceHeld } from './exclusive-open.ts';
import { probeDevice } from './probe.ts';
import { runTool } from './tool.ts';

/**
 * Rule 3: resolves only when nothing whatever was found on the device, by blkid, by wipefs (which also knows what is
 * hidden behind another signature), and by reading, and nothing in the kernel holds it. What the page cache has of the
 * device is dropped first: another host may have written since. Rejects with FilesystemError that says what is there.
 */
export async function proveBlank(runner: Runner, device: Device, signal: AbortSignal): Promise<void> {
  if (await isDeviceHeld(device)) {
    throw new DeviceHeldError(`"${device.path}" is in use on this host, so it is not formatted`);
  }
  await dropCaches(runner, device, signal);
  const probe = await probeDevice(runner, device, signal);
  if (probe.kind !== 'blank') throw notBlank(device, probe.kind === 'foreign' ? probe.what : probe.fs);
  const { stdout } = await runTool(
    runner,
    {
      attempt: `look for signatures on "${device.path}"`,
      program: 'wipefs',
      args: ['--no-act', '--parsable', '--', pathToOpen(device)],
    },
    signal,
  );
  const signatures = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (signatures.length > 0) throw notBlank(device, signatures.map(signatureName).join(', '));
  await assertZero(device);
}

/** The lines are offset,uuid,label,type. */
function signatureName(line: string): string {
  return line.split(',').at(-1) ?? line;
}

function notBlank(device: Device, what: string): FilesystemError {
  return new FilesystemError(
    `"${device.path}" is not blank: it holds ${what}; it is not formatted, remove the volume by hand if nobody needs it`,
  );
}
