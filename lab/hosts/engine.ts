import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { nearest } from '../../src/units/nearest.ts';
import { output } from './namespace.ts';

/** Docker engines that a host can run: Debian 12's own, Debian 13's and unstable's. */
export type EngineVersion = '20.10' | '26.1' | '28.5';

const VERSIONS = ['20.10', '26.1', '28.5'] as const satisfies readonly EngineVersion[];

/** The engine that a person means with "26", "26.1" or nothing. Throws with what there is. */
export function engineNamed(wanted: string): EngineVersion {
  if (wanted === '') return '20.10';
  const found = VERSIONS.find((version) => version === wanted || version.split('.')[0] === wanted);
  if (found !== undefined) return found;
  const near = nearest(wanted, VERSIONS);
  const meant = near === undefined ? '' : `did you mean "${near}"? `;
  throw new Error(`there is no engine "${wanted}" here: ${meant}there are ${VERSIONS.join(', ')}`);
}

const suites: Record<EngineVersion, string> = { '20.10': 'bookworm', '26.1': 'trixie', '28.5': 'sid' };

const PACKAGES = [
  ...['docker.io', 'docker-cli', 'iptables', 'iproute2', 'busybox-static', 'xfsprogs', 'e2fsprogs'],
  'ca-certificates',
];

const cache = path.resolve(import.meta.dirname, '../../.cache/engines');

/**
 * The root directory that a host with this engine is laid over. The machine's own when its Docker is the one asked
 * for; else a Debian of that suite, made once (about half a minute, 500 MB) and kept in .cache/engines.
 */
export async function engineRoot(version: EngineVersion): Promise<string> {
  if (await machineRuns(version)) return '/';
  const root = path.join(cache, suites[version]);
  if (!existsSync(root)) await bootstrap(suites[version], root);
  return root;
}

async function machineRuns(version: EngineVersion): Promise<boolean> {
  if (!existsSync('/usr/sbin/dockerd')) return false;
  return (await output(['/usr/sbin/dockerd', '--version'])).includes(` ${version}.`);
}

async function bootstrap(suite: string, root: string): Promise<void> {
  const unfinished = `${root}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(path.dirname(root), { recursive: true });
  const wanted = PACKAGES.filter((name) => name !== 'docker-cli' || suite !== 'bookworm');
  await execa('mmdebstrap', [
    ...['--quiet', '--variant=minbase', '--mode=root', `--include=${wanted.join(',')}`],
    ...['--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/locale/*'],
    // A mirror that lags behind has a list of unstable's that counts as expired after a week; it is still signed.
    ...(suite === 'sid' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    ...[suite, unfinished],
  ]);
  await rename(unfinished, root);
}
