import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CAP_SYS_RESOURCE, hasCapability } from '../src/host/capabilities.ts';
import { bundleFile, bundleProgram } from './bundle.ts';
import { buildPlugin } from './build.ts';
import { type Architecture, machineArchitecture } from './debian.ts';

const project = path.resolve(import.meta.dirname, '..');
const cache = path.join(project, '.cache/plugin-built');

/**
 * The directory of the managed plugin, built from the sources as they are and kept as long as they do not change, for labs,
 * demos, tests and the steward's image, with what this machine's own engines can give it. Nothing takes it away from who reads it: a build makes a directory of its own
 * first, and the first of several at the same time is the one that all get. Needs root.
 */
export async function builtPlugin(arch?: Architecture): Promise<string> {
  const wanted = arch ?? (await machineArchitecture());
  await bundleProgram();
  const growsExt4 = await hasCapability(CAP_SYS_RESOURCE);
  const directory = path.join(cache, `${wanted}-${await fingerprint(growsExt4)}`);
  if (existsSync(directory)) return directory;
  await clearOlder(`${wanted}-`);
  const unfinished = `${directory}.${process.pid}.new`;
  await buildPlugin(wanted, { report: () => undefined, directory: unfinished, growsExt4 });
  await rename(unfinished, directory).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  });
  return directory;
}

/** vitest's set-up of the suite: builds it before the first test file, so that files side by side find it built. */
export async function setup(): Promise<void> {
  await builtPlugin();
}

/** What other sources made, but for what another process is at. */
async function clearOlder(prefix: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    const builder = /\.(\d+)\.\w+$/.exec(name)?.[1];
    if (!name.startsWith(prefix) || (builder !== undefined && existsSync(`/proc/${builder}`))) continue;
    await rm(path.join(cache, name), { recursive: true, force: true });
  }
}

async function fingerprint(growsExt4: boolean): Promise<string> {
  const sources = (await readdir(path.join(project, 'plugin'))).filter((name) => name.endsWith('.ts')).sort();
  const files = [
    bundleFile,
    path.join(project, 'package-lock.json'),
    ...sources.map((name) => path.join(project, 'plugin', name)),
  ];
  const hash = createHash('sha256').update(String(growsExt4));
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
