import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa, type ResultPromise } from 'execa';
import { HostCgroup } from './cgroup.ts';
import { loopDevice, mappedDevices, untilReleased } from './mapped-device.ts';
import { insideHost, output, succeeds } from './namespace.ts';
import { addressOf, type Fabric, labRanges, type NetworkName } from './network.ts';
import {
  isRunning,
  killHard,
  onlyChild,
  processesBeside,
  type ProcessId,
  signal,
  startDetached,
  type SeenProcess,
} from './process.ts';
import type { HostOptions } from './plan.ts';
import type { LabRecord } from './record.ts';
import { until } from './until.ts';

const init = path.join(import.meta.dirname, 'init.sh');
const project = path.resolve(import.meta.dirname, '../..');

/** A service that runs on the host from its start, such as its SDC. */
export interface HostService {
  readonly name: string;
  argv(host: Host): readonly string[];
}

interface Running {
  readonly outer: ProcessId;
  readonly init: ProcessId;
}

/**
 * A machine of the lab: own root file system, network, processes, users of /dev/disk/by-id, and a Docker engine. What
 * is on its disk survives powerOff and reboot; what is in memory does not.
 */
export class Host {
  readonly number: number;
  readonly name: string;
  /** On the machine that runs the lab, not on the host itself. */
  readonly directory: string;
  readonly #options: HostOptions;
  readonly #record: LabRecord;
  readonly #fabric: Fabric;
  readonly #services: HostService[] = [];
  #cgroup: HostCgroup | undefined;
  #running: Running | undefined;

  constructor(options: HostOptions, record: LabRecord, fabric: Fabric) {
    this.number = options.number;
    this.name = `host${options.number}`;
    this.directory = path.join(record.directory, this.name);
    this.#options = options;
    this.#record = record;
    this.#fabric = fabric;
  }

  address(network: NetworkName): string {
    return addressOf(network, this.number);
  }

  /** A shell on this host, for the person at the terminal; returns when it ends. */
  async shell(): Promise<void> {
    const [program = '', ...args] = this.#enter(['bash']);
    await execa(program, args, { stdio: 'inherit', reject: false });
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  async isFrozen(): Promise<boolean> {
    return this.isOn && (await this.#groups().isFrozen());
  }

  /** What `docker -H` of the lab's machine takes; the same after each boot. */
  get dockerAddress(): string {
    return `unix://${path.join(this.directory, 'engine', 'docker.sock')}`;
  }

  /** Powers the host on, with its services, and returns when its engine answers. */
  async boot(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await rm(path.join(this.directory, 'ready'), { force: true });
    await rm(path.join(this.directory, 'by-id'), { recursive: true, force: true });
    this.#cgroup = await HostCgroup.create(this.#record.groups, this.name);
    const outer = await this.#startInit(this.#cgroup);
    await this.#record.addProcess(outer);
    const inner = await onlyChild(outer);
    this.#running = { outer, init: inner };
    await writeFile(this.#runningFile, JSON.stringify(this.#running));
    await until(
      `${this.name} to set itself up (see ${this.#log('init')})`,
      async () => (await this.#saysReady()) && isRunning(inner),
      { everyMs: 10 },
    );
    await this.#fabric.plug(this.number, inner);
    for (const service of this.#services) await this.start(service.name, service.argv(this));
    await this.startDockerd();
  }

  /** Has a service run from now on, also after each reboot. */
  async addService(service: HostService): Promise<void> {
    this.expectService(service);
    if (this.isOn) await this.start(service.name, service.argv(this));
  }

  /** Has a service run after each further boot; if the host is on, it runs already. */
  expectService(service: HostService): void {
    this.#services.push(service);
  }

  /** Takes up a host that another process has booted, or has powered off. */
  async resume(): Promise<void> {
    this.#cgroup = await HostCgroup.create(this.#record.groups, this.name);
    if (!existsSync(this.#runningFile)) return;
    const running = JSON.parse(await readFile(this.#runningFile, 'utf8')) as Running;
    if (isRunning(running.outer) && isRunning(running.init)) this.#running = running;
  }

  /** Starts a program on the host; its output is in `<directory>/<name>.log`. */
  async start(name: string, argv: readonly string[]): Promise<ProcessId> {
    return startDetached(this.#enter(argv), this.#log(name));
  }

  /** Starts the engine (again) and returns when it answers. */
  async startDockerd(): Promise<void> {
    const trusted = labRanges.map((range) => `--insecure-registry=${range}`);
    const sockets = ['--host=unix:///var/run/docker.sock', '--host=unix:///run/engine/docker.sock'];
    await this.start('dockerd', [
      ...['dockerd', '--log-level=warn', ...sockets, ...trusted],
      ...this.#options.engineArguments,
    ]);
    await until(
      `the engine of ${this.name} to answer (see ${this.#log('dockerd')})`,
      async () => (await this.docker(['version', '--format', '{{.Server.Version}}'])) !== '',
      { timeoutMs: 60_000, everyMs: 100 },
    );
  }

  /** Whether the engine runs and answers; asks for its process first, so that a dead one costs no wait. */
  async isEngineUp(): Promise<boolean> {
    const engines = (await this.processes()).filter(({ argv }) => /(^|\/)dockerd$/.test(argv[0] ?? ''));
    return engines.length > 0 && (await succeeds(this.#enter(['docker', 'version'])));
  }

  /** Standard output of a docker command on this host; throws CommandFailedError. */
  async docker(args: readonly string[], options: { input?: string } = {}): Promise<string> {
    return this.exec(['docker', ...args], options);
  }

  /** Standard output of a program on this host; throws CommandFailedError. */
  async exec(argv: readonly string[], options: { input?: string } = {}): Promise<string> {
    return output(this.#enter(argv), { ...options, shown: `"${argv.join(' ')}" on ${this.name}` });
  }

  /** Like exec, for a program that the caller watches or feeds while it runs; without buffer its standard output may be of any length. */
  spawn(argv: readonly string[], { buffer = true } = {}): ResultPromise<{ buffer: { stdout: boolean } }> {
    const [program = '', ...args] = this.#enter(argv);
    return execa(program, args, { buffer: { stdout: buffer } });
  }

  /** Where a path of this host's root is on the machine that runs the lab, as long as the host is on. */
  pathFromOutside(inside: string): string {
    return `/proc/${this.#mustBeOn().init.pid}/root${inside}`;
  }

  /** Every process on the host, those of containers and plugins included. */
  async processes(): Promise<SeenProcess[]> {
    const { init: first } = this.#mustBeOn();
    // Containers have PID namespaces of their own, below the host's: found through the control group.
    return processesBeside(first);
  }

  /**
   * SIGKILL to the engine alone, and to its containerd, which the kernel kills with it: containers and plugins stay. An engine that starts
   * while that one is still dying takes it for running, and waits for it in vain.
   */
  async killDockerd(): Promise<void> {
    for (const program of [/(^|\/)dockerd$/, /(^|\/)containerd$/]) {
      const engines = (await this.processes()).filter(({ argv }) => program.test(argv[0] ?? ''));
      await Promise.all(engines.map(killHard));
    }
  }

  /** SIGTERM to the engine, and returns when it is gone. */
  async stopDockerd(): Promise<void> {
    const engines = (await this.processes()).filter(({ argv }) => /(^|\/)dockerd$/.test(argv[0] ?? ''));
    for (const engine of engines) signal(engine, 'SIGTERM');
    await until(
      `the engine of ${this.name} to stop`,
      async () => {
        const left = await this.processes();
        return !left.some((one) => engines.some((engine) => engine.pid === one.pid));
      },
      { timeoutMs: 60_000 },
    );
  }

  /** SIGKILL to the volume plugin's process; the engine starts it anew. Returns the process that was killed. */
  async killPlugin(): Promise<ProcessId> {
    const plugin = await this.pluginProcess();
    if (plugin === undefined) throw new Error(`no plugin process runs on ${this.name}`);
    await killHard(plugin);
    return plugin;
  }

  /** The volume plugin's process, managed or host service, undefined when none runs. */
  async pluginProcess(): Promise<SeenProcess | undefined> {
    const serves = ({ argv }: SeenProcess): boolean =>
      /(^|\/)node$/.test(argv[0] ?? '') &&
      argv.includes('serve') &&
      argv.some((word) => word.endsWith('docker-volume-scaleio.cjs'));
    return (await this.processes()).find(serves);
  }

  /** Every process of the host stops where it stands (a hung machine), or goes on. */
  async freeze(): Promise<void> {
    await this.#groups().freeze(true);
  }

  async thaw(): Promise<void> {
    await this.#groups().freeze(false);
  }

  async cutNetwork(network: NetworkName): Promise<void> {
    await this.#fabric.setLink(this.number, network, false);
  }

  async restoreNetwork(network: NetworkName): Promise<void> {
    await this.#fabric.setLink(this.number, network, true);
  }

  /**
   * A power cut: the networks go silent without a farewell, what had not reached the volumes is lost whoever wrote it,
   * and every process ends. Off already is success.
   */
  async powerOff(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    await this.cutNetwork('cluster');
    await this.cutNetwork('storage');
    const mapped = await mappedDevices(path.join(this.directory, 'by-id'));
    const devices = await Promise.all(mapped.map(loopDevice));
    await this.#endDataPaths();
    if (await this.isFrozen()) await this.#groups().kill();
    await killHard(running.outer);
    await this.#groups().remove();
    this.#running = undefined;
    await rm(this.#runningFile, { force: true });
    await this.#fabric.unplug(this.number);
    for (const device of devices) await untilReleased(device);
  }

  /** Power cut and boot. */
  async reboot(): Promise<void> {
    await this.powerOff();
    await this.boot();
  }

  async #startInit(cgroup: HostCgroup): Promise<ProcessId> {
    const join = 'for file in "$@"; do shift; [ "$file" = -- ] && break; echo 0 >"$file"; done; exec "$@"';
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--fork', '--kill-child'];
    const shared = [...new Set([project, path.join(this.#record.directory, 'array')])];
    await mkdir(path.join(this.#record.directory, 'array'), { recursive: true });
    return startDetached(
      [
        ...['sh', '-c', join, 'sh', ...cgroup.joinFiles, '--'],
        ...['unshare', ...namespaces, init, this.name, this.directory, this.#options.engineRoot, ...shared],
      ],
      this.#log('init'),
    );
  }

  async #saysReady(): Promise<boolean> {
    const file = path.join(this.directory, 'ready');
    return existsSync(file) && (await readFile(file, 'utf8')).startsWith('ready');
  }

  /**
   * Whatever is written to a volume, from whichever mount or page cache, goes through the data path of its device: once that
   * has ended, nothing that is still to die can write. On a frozen host the signal waits for the thaw, as all others do.
   */
  async #endDataPaths(): Promise<void> {
    const isFrozen = await this.isFrozen();
    for (const process of await this.#groups().processes()) {
      if (!(await isDataPath(process))) continue;
      if (isFrozen) signal(process, 'SIGKILL');
      else await killHard(process);
    }
  }

  #enter(argv: readonly string[]): string[] {
    return insideHost(this.#mustBeOn().init, this.#groups().joinFiles, argv);
  }

  #mustBeOn(): Running {
    if (this.#running === undefined) throw new Error(`${this.name} is powered off`);
    return this.#running;
  }

  #groups(): HostCgroup {
    if (this.#cgroup === undefined) throw new Error(`${this.name} was never booted`);
    return this.#cgroup;
  }

  get #runningFile(): string {
    return path.join(this.directory, 'running.json');
  }

  #log(name: string): string {
    return path.join(this.directory, `${name}.log`);
  }
}

async function isDataPath({ pid }: ProcessId): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === 'scini';
}
