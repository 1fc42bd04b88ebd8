import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MultipathFacts } from '../doctor/multipath-check.ts';
import { hasCode } from '../host/files.ts';

/** Where it is looked for; a managed plugin sees the host's /etc elsewhere. */
export interface MultipathPlaces {
  readonly proc: string;
  readonly etc: readonly string[];
}

/** What multipath is on this host. Rejects with node:fs's error only where something that is there cannot be read. */
export async function readMultipath(places: MultipathPlaces): Promise<MultipathFacts> {
  const pids = (await namesIn(places.proc)).filter((name) => /^\d+$/.test(name));
  const programs = await Promise.all(pids.map((pid) => textOf(path.join(places.proc, pid, 'comm'))));
  const configuration = await Promise.all(places.etc.map(configurationIn));
  return {
    runs: programs.some((program) => program?.trim() === 'multipathd'),
    configuration: configuration.flat(),
  };
}

async function configurationIn(etc: string): Promise<string[]> {
  const beside = path.join(etc, 'multipath/conf.d');
  const files = (await namesIn(beside)).filter((name) => name.endsWith('.conf'));
  const texts = await Promise.all(
    [path.join(etc, 'multipath.conf'), ...files.map((name) => path.join(beside, name))].map(textOf),
  );
  return texts.filter((text) => text !== undefined);
}

async function namesIn(directory: string): Promise<string[]> {
  return (await unlessGone(readdir(directory))) ?? [];
}

async function textOf(file: string): Promise<string | undefined> {
  return unlessGone(readFile(file, 'utf8'));
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ESRCH')) return undefined;
    throw error;
  }
}
