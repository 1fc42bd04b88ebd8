import { existsSync } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { until } from './until.ts';

/** The kernel nodes that a host's by-id links point at. */
export async function mappedDevices(byId: string): Promise<string[]> {
  if (!existsSync(byId)) return [];
  const links = await readdir(byId);
  const targets = await Promise.all(links.map((link) => linkTarget(path.join(byId, link))));
  return targets.filter((target) => target !== undefined);
}

/** Returns when the kernel has let go of a loop device whose data path has ended. */
export async function untilReleased(device: string): Promise<void> {
  await until(
    `"${device}" to be released`,
    () => !existsSync(`/sys/block/${path.basename(device)}/loop/backing_file`),
  );
}

async function linkTarget(link: string): Promise<string | undefined> {
  if (!(await lstat(link)).isSymbolicLink()) return undefined;
  return path.resolve('/dev/disk/by-id', await readlink(link));
}
