import { FilesystemError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import type { Probe } from '../volumes/ports.ts';
import type { Device } from '../attach/attacher.ts';
import { FILESYSTEMS, type FilesystemType } from '../volumes/volume.ts';
import { readEnds } from './blank.ts';
import { pathToOpen } from './path-to-open.ts';
import { runTool } from './tool.ts';

/** Exit codes of `blkid --probe` [util-linux blkid(8)]. */
const FOUND = 0;
const NOTHING_FOUND = 2;
const AMBIVALENT = 8;

/**
 * What a low-level look at the device, past every cache, finds: blkid reads it itself. In doubt it is foreign: more
 * than one signature, a file system inside a partition table, and types that we do not make.
 */
export async function probeDevice(runner: Runner, device: Device, signal: AbortSignal): Promise<Probe> {
  const { exitCode, stdout } = await runTool(
    runner,
    {
      attempt: `probe "${device.path}"`,
      program: 'blkid',
      args: ['-p', '-o', 'export', '--', pathToOpen(device)],
      accepts: ({ exitCode: code }) => code === NOTHING_FOUND || code === AMBIVALENT,
    },
    signal,
  );
  if (exitCode === AMBIVALENT) return { kind: 'foreign', what: 'more than one signature' };
  if (exitCode === FOUND) return classify(device, parseTags(stdout));
  // blkid says "nothing" of a device that it cannot read, too.
  await readEnds(device);
  return { kind: 'blank' };
}

/** Reads the lines KEY=value of `blkid -o export`. */
export function parseTags(stdout: string): ReadonlyMap<string, string> {
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
    }),
  );
}

function classify(device: Device, tags: ReadonlyMap<string, string>): Probe {
  const type = tags.get('TYPE');
  const table = tags.get('PTTYPE');
  if (table !== undefined) return { kind: 'foreign', what: `${table} partition table` };
  if (type === undefined) {
    throw new FilesystemError(
      `blkid found something on "${device.path}" that it does not name; look with "wipefs"`,
    );
  }
  if (tags.get('USAGE') === 'filesystem' && isOurs(type)) {
    return { kind: 'filesystem', fs: type, uuid: tags.get('UUID') ?? null };
  }
  return { kind: 'foreign', what: type };
}

function isOurs(type: string): type is FilesystemType {
  return FILESYSTEMS.some((fs) => fs === type);
}
