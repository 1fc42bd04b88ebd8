import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { bundleFile, bundleProgram } from '../../plugin/bundle.ts';
import { buildPlugin } from '../../plugin/build.ts';
import { machineArchitecture } from '../../plugin/debian.ts';

const project = path.resolve(import.meta.dirname, '../..');
const cache = path.join(project, '.cache/e2e');

/**
 * The directory of the managed plugin, built from the sources as they are and kept for the next test file as long as
 * they do not change. Its own, so that a `make plugin` meanwhile takes nothing away from it.
 */
export async function builtPlugin(): Promise<string> {
  await bundleProgram();
  const directory = path.join(cache, await fingerprint());
  if (existsSync(directory)) return directory;
  await rm(cache, { recursive: true, force: true });
  const unfinished = `${directory}.unfinished`;
  await buildPlugin(await machineArchitecture(), () => undefined, unfinished);
  await rename(unfinished, directory);
  return directory;
}

/** vitest's set-up of the suite: builds it before the first test file, so that files side by side find it built. */
export async function setup(): Promise<void> {
  await builtPlugin();
}

async function fingerprint(): Promise<string> {
  const sources = (await readdir(path.join(project, 'plugin'))).filter((name) => name.endsWith('.ts')).sort();
  const files = [
    bundleFile,
    path.join(project, 'package-lock.json'),
    ...sources.map((name) => path.join(project, 'plugin', name)),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Bytes of all regular files below a directory. */
export async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(path.join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
