import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { until } from './until.ts';

/** The kernel nodes that a host's by-id links point at. */
export async function mappedDevices(byId: string): Promise<string[]> {
  if (!existsSync(byId)) return [];
  const links = await readdir(byId);
  const targets = await Promise.all(links.map((link) => linkTarget(path.join(byId, link))));
  return targets.filter((target) => target !== undefined);
}

/** A loop device as it is now; its number may be another's a moment after it was let go of. */
export interface LoopDevice {
  readonly device: string;
  /** As the kernel shows it; undefined when it has none. */
  readonly backing: string | undefined;
}

export async function loopDevice(device: string): Promise<LoopDevice> {
  return { device, backing: await backingOf(device) };
}

/** Returns when the kernel has let go of a loop device whose data path has ended, also where another has got its number since. */
export async function untilReleased({ device, backing }: LoopDevice): Promise<void> {
  if (backing === undefined) return;
  await until(`"${device}" to be released`, async () => (await backingOf(device)) !== backing);
}

async function backingOf(device: string): Promise<string | undefined> {
  const file = `/sys/block/${path.basename(device)}/loop/backing_file`;
  return readFile(file, 'utf8').catch(() => undefined);
}

async function linkTarget(link: string): Promise<string | undefined> {
  if (!(await lstat(link)).isSymbolicLink()) return undefined;
  return path.resolve('/dev/disk/by-id', await readlink(link));
}
