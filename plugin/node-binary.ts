import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { type Architecture, machineArchitecture } from './debian.ts';

const project = path.resolve(import.meta.dirname, '..');

/** The Node version that package-lock.json pins; everything here runs on it. */
async function pinnedNodeVersion(): Promise<string> {
  const lock = JSON.parse(await readFile(path.join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  const version = lock.packages['node_modules/node']?.version;
  if (version === undefined)
    throw new Error('package-lock.json pins no "node": add it with npm install node');
  return version;
}

/** The pinned Node for a processor: the installed one for this machine's, else fetched from npm once and kept. */
export async function nodeBinary(arch: Architecture, cache: string): Promise<string> {
  if (arch === (await machineArchitecture())) return path.join(project, 'node_modules/node/bin/node');
  const version = await pinnedNodeVersion();
  const directory = path.join(cache, `node-${version}`);
  const binary = path.join(directory, 'package/bin/node');
  if (!existsSync(binary)) await fetchFromNpm(`node-linux-${arch}@${version}`, directory);
  return binary;
}

async function fetchFromNpm(name: string, directory: string): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', unfinished, name]);
  const tarball = stdout.trim().split('\n').at(-1) ?? '';
  await execa('tar', [
    '--extract',
    '--gzip',
    '--file',
    path.join(unfinished, tarball),
    '--directory',
    unfinished,
  ]);
  await rm(path.join(unfinished, tarball));
  await rename(unfinished, directory);
}
