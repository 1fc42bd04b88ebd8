import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { engineRoot, type EngineVersion } from './engine.ts';
import { Host } from './host.ts';
import { addressOf, Fabric, writeRegistryConfig } from './network.ts';
import { startDetached, type ProcessId } from './process.ts';
import type { HostOptions, LabPlan } from './plan.ts';
import { LabRecord, removeLab, sweepAbandonedLabs } from './record.ts';
import { succeeds } from './namespace.ts';
import { until } from './until.ts';

export interface LabOptions {
  readonly hosts: number;
  /** Engine of each host in turn; the last one holds for all further hosts. Default: the machine's Debian 12 one. */
  readonly engines?: readonly EngineVersion[];
  readonly engineArguments?: readonly string[];
  /** Unique among the labs of this machine. */
  readonly name?: string;
  /** True: stays when this process ends, until removeLab(name). */
  readonly keep?: boolean;
}

/**
 * Real Docker engines on one machine, each on a host of its own, with a registry and room for a simulated array.
 * Nothing of it touches the machine's own Docker or network. close() leaves nothing behind.
 */
export class Lab {
  readonly name: string;
  readonly directory: string;
  readonly #hosts: Host[];
  readonly fabric: Fabric;
  /** host:port of the registry, for image and plugin names. */
  readonly registry = `${addressOf('cluster', 0)}:5000`;
  readonly #record: LabRecord;

  constructor(record: LabRecord, fabric: Fabric, hosts: readonly Host[]) {
    this.#record = record;
    this.name = record.name;
    this.directory = record.directory;
    this.fabric = fabric;
    this.#hosts = [...hosts];
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Boots one more host like the last one; it has engine and network and nothing else. */
  async addHost(): Promise<Host> {
    const { plan } = this.#record;
    const like = plan.hosts.at(-1);
    if (like === undefined) throw new Error('the lab has no host that another could be like');
    const options = { ...like, number: like.number + 1 };
    await this.#record.savePlan({ ...plan, hosts: [...plan.hosts, options] });
    const host = new Host(options, this.#record, this.fabric);
    this.#hosts.push(host);
    await host.boot();
    return host;
  }

  /** The host by its number, from 1. */
  host(number: number): Host {
    const found = this.hosts[number - 1];
    if (found === undefined) throw new Error(`the lab has ${this.hosts.length} hosts, no host ${number}`);
    return found;
  }

  /** Starts a program where array and registry live; its output is in `<directory>/<name>.log`. */
  async start(name: string, argv: readonly string[]): Promise<ProcessId> {
    const log = path.join(this.directory, `${name}.log`);
    const id = await startDetached(this.fabric.enter(argv), log);
    await this.#record.addProcess(id);
    return id;
  }

  /**
   * Makes a Swarm of all hosts: the first `managers` are its managers. A node that is silent for three heartbeats counts as
   * down; `heartbeat` such as "1s" makes that quicker than the default of 5s.
   */
  async swarm({ managers = 1, heartbeat = '5s' } = {}): Promise<void> {
    const [first, ...others] = this.hosts;
    if (first === undefined) throw new Error('a Swarm needs a host');
    const own = first.address('cluster');
    await first.docker(['swarm', 'init', '--advertise-addr', own, '--dispatcher-heartbeat', heartbeat]);
    for (const host of others) await this.joinSwarm(host, host.number <= managers ? 'manager' : 'worker');
  }

  /** Has a host join the Swarm of the lab's first host. */
  async joinSwarm(host: Host, role: 'manager' | 'worker' = 'worker'): Promise<void> {
    const first = this.host(1);
    const token = await first.docker(['swarm', 'join-token', '--quiet', role]);
    const manager = `${first.address('cluster')}:2377`;
    const own = host.address('cluster');
    await host.docker(['swarm', 'join', '--advertise-addr', own, '--token', token, manager]);
  }

  /** What another process needs to work with this lab's array. */
  get arrayPlan(): LabPlan['array'] {
    return this.#record.plan.array;
  }

  async rememberArray(array: NonNullable<LabPlan['array']>): Promise<void> {
    await this.#record.savePlan({ ...this.#record.plan, array });
  }

  /** The first host that manages the Swarm and can do so now; undefined when there is none. */
  async manager(): Promise<Host | undefined> {
    for (const host of this.hosts) {
      if (!host.isOn || (await host.isFrozen())) continue;
      // Without a majority of managers the answer would take half a minute.
      const ask = host.exec(['timeout', '5', 'docker', 'node', 'ls', '--quiet']);
      if ((await ask.catch(() => '')) !== '') return host;
    }
    return undefined;
  }

  /** Moves every task away from a host, or lets tasks come again. Asked of the first manager that answers. */
  async drain(host: Host, availability: 'drain' | 'active' = 'drain'): Promise<void> {
    const manager = await this.manager();
    if (manager === undefined)
      throw new Error(`${host.name} stays as it is: no manager of the Swarm answers`);
    await manager.docker(['node', 'update', '--availability', availability, host.name]);
  }

  /** Ends every process of the lab and removes all it made on this machine. A second call does nothing. */
  async close(): Promise<void> {
    for (const host of this.hosts) if (host.isOn) await host.powerOff();
    await removeLab(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Starts a lab; first removes what interrupted runs have left. When it cannot start, nothing of it remains either.
 */
export async function createLab(options: LabOptions): Promise<Lab> {
  await sweepAbandonedLabs();
  const name = options.name ?? `lab${process.pid}-${Date.now().toString(36)}`;
  const record = await LabRecord.create(name, options.keep ?? false);
  try {
    return await build(options, record);
  } catch (error) {
    await removeLab(name);
    throw error;
  }
}

/** A lab that another process made to stay: its hosts as they are now, on or off. */
export async function openLab(name: string): Promise<Lab> {
  const record = await LabRecord.open(name);
  const { plan } = record;
  const fabric = await Fabric.resume(plan.fabric);
  const hosts = plan.hosts.map((options) => new Host(options, record, fabric));
  for (const host of hosts) await host.resume();
  return new Lab(record, fabric, hosts);
}

async function build(options: LabOptions, record: LabRecord): Promise<Lab> {
  await record.makeMachineDirectory('/dev/disk/by-id');
  const fabric = await Fabric.start(path.join(record.directory, 'fabric.log'), async (holder) => {
    await record.addProcess(holder);
  });
  const engines = options.engines ?? ['20.10'];
  const plans: HostOptions[] = [];
  for (let number = 1; number <= options.hosts; number += 1) {
    const version = engines[Math.min(number, engines.length) - 1] ?? '20.10';
    plans.push({
      number,
      engineRoot: await engineRoot(version),
      engineArguments: options.engineArguments ?? [],
    });
  }
  await record.savePlan({ fabric: fabric.holder, hosts: plans });
  const hosts = plans.map((plan) => new Host(plan, record, fabric));
  const lab = new Lab(record, fabric, hosts);
  await Promise.all([
    startRegistry(lab),
    ...hosts.map(async (host) => {
      await host.boot();
    }),
  ]);
  return lab;
}

async function startRegistry(lab: Lab): Promise<void> {
  const directory = path.join(lab.directory, 'registry');
  const config = path.join(lab.directory, 'registry.json');
  await mkdir(directory);
  await writeRegistryConfig(config, directory, lab.registry);
  await lab.start('registry', ['docker-registry', 'serve', config]);
  const probe = `exec 3<>/dev/tcp/${lab.registry.replace(':', '/')}`;
  await until('the registry to listen', async () => {
    return succeeds(lab.fabric.enter(['bash', '-c', probe]));
  });
}
