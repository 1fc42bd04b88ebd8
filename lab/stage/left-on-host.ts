import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabArray } from '../hosts/array.ts';
import type { Host } from '../hosts/host.ts';
import { until } from '../hosts/until.ts';

interface ArrayState {
  readonly volumes: number;
  readonly sdcs: readonly { readonly guid: string; readonly volumes: readonly string[] }[];
}

/** What the fault controls tell of the array. */
export async function stateOf(array: LabArray): Promise<ArrayState> {
  return JSON.parse((await array.request('GET', '/simulator/state')).body) as ArrayState;
}

/** Ids of the volumes that the array has mapped to a host. */
export async function mappedTo(array: LabArray, host: Host): Promise<readonly string[]> {
  const { sdcs } = await stateOf(array);
  return sdcs.find(({ guid }) => guid === array.guidOf(host))?.volumes ?? [];
}

/** Whatever of volumes is on a host: mappings, device links, journal entries, and mounts not a container's own. */
export async function leftOn(array: LabArray, host: Host): Promise<string[]> {
  const attachments = (await mappedTo(array, host)).map((id) => `mapping of ${id}`);
  const byId = path.join(host.directory, 'by-id');
  const links = existsSync(byId) ? (await readdir(byId)).filter(isVolume).map((name) => `link ${name}`) : [];
  const mounts = (await volumeMounts(host)).map((mountpoint) => `mount ${mountpoint}`);
  return [...attachments, ...links, ...mounts, ...(await journalEntries(host))];
}

/**
 * What the journal of a managed plugin tells of volumes; none where the plugin runs in another way. Entries that only wait for
 * what a gateway may still carry out of a request without an answer are left out: nothing of them is on the host.
 */
async function journalEntries(host: Host): Promise<string[]> {
  const plugins = path.join(host.directory, 'docker/plugins');
  const ids = existsSync(plugins) ? await readdir(plugins) : [];
  const files = ids.map((id) => path.join(plugins, id, 'propagated-mount/state/journal'));
  const texts = await Promise.all(
    files.filter((file) => existsSync(file)).map((file) => readFile(file, 'utf8')),
  );
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => !isAwaiting(line)));
  return lines.flatMap((line) =>
    [...line.matchAll(/"name":"([^"]*)"/g)].map(([, name = '']) => `entry ${name}`),
  );
}

/** Each entry of the journal is a line. */
function isAwaiting(line: string): boolean {
  return /"phase":"(mounting|releasing|creating)"/.test(line) && line.includes('"mapping":"intended"');
}

function isVolume(link: string): boolean {
  return link.startsWith('emc-vol-');
}

/** Where volumes are mounted, as the host sees it. */
export async function volumeMounts(host: Host): Promise<string[]> {
  const table = await readFile(host.pathFromOutside('/proc/1/mountinfo'), 'utf8');
  return table.split('\n').flatMap((line) => {
    const mountpoint = line.split(' ')[4] ?? '';
    return /\/(volumes|mounts)\/(docker-|~new)[^/]*$/.test(mountpoint) ? [mountpoint] : [];
  });
}

/** Returns when nothing of any volume is left on the host. */
export async function untilNothingLeft(array: LabArray, host: Host, timeoutMs = 30_000): Promise<void> {
  let left: string[] = [];
  await until(
    `${host.name} to be left by all volumes`,
    async () => {
      left = await leftOn(array, host);
      return left.length === 0;
    },
    { timeoutMs },
  ).catch((cause: unknown) => {
    throw new Error(`still on ${host.name}: ${left.join(', ')}`, { cause });
  });
}
