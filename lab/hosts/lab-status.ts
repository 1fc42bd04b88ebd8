import type { LabArray } from './array.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';

interface ArrayState {
  readonly sdcs: readonly {
    readonly guid: string;
    readonly connected: boolean;
    readonly volumes: readonly string[];
  }[];
}

/** How each host of a lab is: a line each, with a heading. Asks no engine that could not answer. */
export async function labStatus(lab: Lab, array: LabArray | undefined): Promise<string> {
  const state = array?.isOn === true ? await stateOf(array) : undefined;
  const swarm = await swarmStates(lab);
  const rows = [['HOST', 'POWER', 'ENGINE', 'SWARM', 'CLUSTER NET', 'STORAGE NET', 'SDC', 'VOLUMES']];
  for (const host of lab.hosts) {
    const sdc = state?.sdcs.find(({ guid }) => guid === array?.guidOf(host));
    const isFrozen = await host.isFrozen();
    rows.push([
      host.name,
      host.isOn ? (isFrozen ? 'frozen' : 'on') : 'off',
      host.isOn && !isFrozen ? await engineOf(host) : '-',
      swarm.get(host.name) ?? '-',
      await cable(lab, host, 'cluster'),
      await cable(lab, host, 'storage'),
      sdc === undefined ? '-' : sdc.connected ? 'connected' : 'disconnected',
      sdc === undefined ? '-' : sdc.volumes.join(', ') || 'none',
    ]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

async function stateOf(array: LabArray): Promise<ArrayState> {
  return JSON.parse((await array.request('GET', '/simulator/state')).body) as ArrayState;
}

async function cable(lab: Lab, host: Host, network: 'cluster' | 'storage'): Promise<string> {
  if (!host.isOn) return '-';
  return (await lab.fabric.isLinked(host.number, network)) ? 'up' : 'cut';
}

/** The version, or that the engine does not run. */
async function engineOf(host: Host): Promise<string> {
  const version = ['version', '--format', '{{.Server.Version}}'];
  return (await host.isEngineUp()) ? host.docker(version) : 'down';
}

/** By host name, as the first manager that answers sees the Swarm. */
async function swarmStates(lab: Lab): Promise<ReadonlyMap<string, string>> {
  const manager = await lab.manager();
  if (manager === undefined) return new Map();
  const text = await manager.docker([
    'node',
    'ls',
    '--format',
    '{{.Hostname}}\t{{.Status}}/{{.Availability}}',
  ]);
  return new Map(text.split('\n').map((line) => line.toLowerCase().split('\t') as [string, string]));
}
