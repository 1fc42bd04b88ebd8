import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../hosts/host.ts';
import { PluginLog } from '../stage/plugin-log.ts';

/** One thing that happened in a failover. */
export interface Moment {
  /** Unix time, ms. */
  readonly at: number;
  readonly what: string;
  /** Whose word it is. */
  readonly source: 'test' | 'Swarm' | 'plugin' | 'kernel' | 'engine' | 'client';
  /** Whose part the time before it was. */
  readonly spentBy: 'swarm' | 'engine' | 'plugin' | 'service';
}

/** When a host died and its service went on elsewhere. Unix times, ms. */
export interface Failover {
  readonly from: string;
  readonly to: string;
  readonly killedAt: number;
  readonly nodeDownAt: number;
  readonly taskCreatedAt: number;
  readonly mountArrivedAt: number;
  readonly fencedAt: number;
  readonly deviceAt: number;
  readonly mountAnsweredAt: number;
  readonly containerStartedAt: number;
  readonly continuedAt: number;
}

export interface Observed {
  readonly manager: Host;
  readonly from: Host;
  readonly to: Host;
  readonly service: string;
  readonly volume: string;
  readonly killedAt: number;
  /** First sign of life of the service on its new host. */
  readonly continuedAt: number;
}

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

/** Gathers, after a failover, what its parties have written down of it: Swarm, the engines, the plugin, the kernel. */
export async function failoverSeen(seen: Observed): Promise<Failover> {
  const { manager, from, to, killedAt, continuedAt } = seen;
  const nodeEvents = await engineEvents(manager, killedAt);
  const nodeDown = nodeEvents.find(
    ({ Type, Actor: { Attributes: of } }) =>
      Type === 'node' && of['name'] === from.name && of['state.new'] === 'down',
  );
  const containerStart = (await engineEvents(to, killedAt)).find(
    ({ Type, Action, Actor: { Attributes: of } }) =>
      Type === 'container' && Action === 'start' && of['com.docker.swarm.service.name'] === seen.service,
  );
  return {
    from: from.name,
    to: to.name,
    killedAt,
    continuedAt,
    nodeDownAt: timeOf(nodeDown, `node ${from.name} down`),
    containerStartedAt: timeOf(containerStart, `start of ${seen.service} on ${to.name}`),
    taskCreatedAt: await taskCreatedAt(seen),
    deviceAt: await deviceSince(to),
    ...(await mountSeen(seen)),
  };
}

/** The same in the order of time, for people. */
export function moments(failover: Failover): Moment[] {
  const { from, to } = failover;
  const rows: readonly (readonly [keyof Failover, string, Moment['source'], Moment['spentBy']])[] = [
    ['killedAt', `${from} loses power`, 'test', 'swarm'],
    ['nodeDownAt', `Swarm declares ${from} down`, 'Swarm', 'swarm'],
    ['taskCreatedAt', `Swarm makes a new task for ${to}`, 'Swarm', 'swarm'],
    ['mountArrivedAt', `${to} asks the plugin to mount`, 'plugin', 'swarm'],
    ['fencedAt', `the plugin has fenced ${from} at the array`, 'plugin', 'plugin'],
    ['deviceAt', `the device is on ${to}`, 'kernel', 'plugin'],
    ['mountAnsweredAt', 'file system recovered and mounted', 'plugin', 'plugin'],
    ['containerStartedAt', 'the container starts', 'engine', 'engine'],
    ['continuedAt', 'the service goes on', 'client', 'service'],
  ];
  return rows
    .map(([key, what, source, spentBy]) => ({ at: Number(failover[key]), what, source, spentBy }))
    .sort((a, b) => a.at - b.at);
}

async function engineEvents(host: Host, sinceMs: number): Promise<EngineEvent[]> {
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  const window = ['--since', seconds(sinceMs), '--until', seconds(Date.now())];
  const said = await host.docker(['events', ...window, '--format', '{{json .}}']);
  return said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as EngineEvent]));
}

function timeOf(event: EngineEvent | undefined, what: string): number {
  if (event === undefined) throw new Error(`no engine has an event for: ${what}`);
  return event.timeNano / 1e6;
}

async function taskCreatedAt({ manager, to, service, killedAt }: Observed): Promise<number> {
  const ids = await manager.docker(['service', 'ps', '--quiet', '--filter', `node=${to.name}`, service]);
  const format = '{{json .CreatedAt}}';
  const times = await manager.docker(['inspect', '--type', 'task', '--format', format, ...ids.split('\n')]);
  const [first] = times
    .split('\n')
    .map((line) => Date.parse(JSON.parse(line) as string))
    .filter((at) => at > killedAt)
    .sort((a, b) => a - b);
  if (first === undefined)
    throw new Error(`Swarm has no task of ${service} on ${to.name} since the power cut`);
  return first;
}

async function mountSeen({
  to,
  volume,
  killedAt,
}: Observed): Promise<Pick<Failover, 'mountArrivedAt' | 'fencedAt' | 'mountAnsweredAt'>> {
  const lines = await new PluginLog(`${to.directory}/dockerd.log`).lines();
  const since = lines.filter(({ time }) => Date.parse(time) > killedAt);
  const calls = since.filter((line) => line.operation === 'Mount' && line.volume === volume);
  const answered = calls.find(({ outcome }) => outcome === 'done');
  const fence = since.find(({ msg }) => msg === 'volume taken from another host');
  const [first] = calls;
  if (first === undefined || answered === undefined || fence === undefined) {
    throw new Error(`the plugin's log on ${to.name} does not tell of the takeover of ${volume}`);
  }
  return {
    mountArrivedAt: Date.parse(first.time) - (first.ms ?? 0),
    fencedAt: Date.parse(fence.time),
    mountAnsweredAt: Date.parse(answered.time),
  };
}

async function deviceSince(host: Host): Promise<number> {
  const directory = path.join(host.directory, 'by-id');
  const links = (await readdir(directory)).filter((name) => name.startsWith('emc-vol-'));
  const times = await Promise.all(
    links.map(async (name) => (await lstat(path.join(directory, name))).mtimeMs),
  );
  return Math.max(...times);
}
