import type { Host } from '../../lab/hosts/host.ts';
import { BUSYBOX } from '../../lab/hosts/image.ts';
import type { Lab } from '../../lab/hosts/lab.ts';
import { untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { DRIVER } from '../../lab/hosts/scaleio-plugin.ts';
import type { LabArray } from '../../lab/hosts/array.ts';
import { until } from '../../lab/hosts/until.ts';
import { Recorder } from './recorder.ts';
import { RECORDING, type Testimony, testimoniesOn } from '../../lab/stage/records.ts';

/** One line of `docker service ps`. */
export interface Task {
  readonly id: string;
  readonly node: string;
  readonly wanted: string;
  /** Such as "Running" or "Rejected", without since when. */
  readonly state: string;
  readonly error: string;
}

/** A Swarm service whose containers append records to their volume: see records.ts. Managed from the first host. */
export class RecordingService {
  readonly name: string;
  readonly #lab: Lab;

  private constructor(lab: Lab, name: string) {
    this.#lab = lab;
    this.name = name;
  }

  /** Starts it with the volume of the same name, on any host but the first, and waits until it records. */
  static async start(lab: Lab, name: string, more: readonly string[] = []): Promise<RecordingService> {
    const service = new RecordingService(lab, name);
    await service.manage([
      ...['create', '--detach', '--name', name, '--no-resolve-image', '--constraint', 'node.hostname!=host1'],
      ...[
        '--env',
        'WRITER={{.Service.Name}}.{{.Node.Hostname}}',
        '--restart-delay',
        '1s',
        '--stop-grace-period',
        '2s',
      ],
      ...['--mount', `type=volume,source=${name},target=/data,volume-driver=${DRIVER}`],
      ...[...more, BUSYBOX, 'sh', '-c', RECORDING],
    ]);
    await service.recordsAnew([]);
    return service;
  }

  /** `docker service …` on the manager. */
  async manage(args: readonly string[]): Promise<string> {
    return this.#lab.host(1).docker(['service', ...args]);
  }

  /** `docker service update`, and waits for nothing. */
  async update(...args: readonly string[]): Promise<void> {
    await this.manage(['update', '--detach', ...args, this.name]);
  }

  /** Removes it, and returns when nothing of any volume is left on any host. */
  async removeFrom(array: LabArray): Promise<void> {
    await this.manage(['rm', this.name]);
    for (const host of this.#lab.hosts) await untilNothingLeft(array, host);
  }

  /** The newest error of its tasks; waits for one. */
  async refusal(): Promise<string> {
    return until(
      `a task of service ${this.name} to be refused`,
      async () => (await this.tasks()).map(({ error }) => error).find((error) => error !== ''),
      { timeoutMs: 90_000, everyMs: 200 },
    );
  }

  /** The newest first. */
  async tasks(): Promise<Task[]> {
    const format = ['{{.ID}}', '{{.Node}}', '{{.DesiredState}}', '{{.CurrentState}}', '{{.Error}}'].join('|');
    const said = await this.manage(['ps', '--no-trunc', '--format', format, this.name]);
    return said.split('\n').flatMap((line) => {
      const [id = '', node = '', wanted = '', state = '', ...error] = line.split('|');
      return id === ''
        ? []
        : [{ id, node, wanted, state: state.split(' ')[0] ?? '', error: error.join('|') }];
    });
  }

  /** The host whose task is wanted and runs; undefined when there is none. */
  async runsOn(): Promise<Host | undefined> {
    const task = (await this.tasks()).find(
      ({ wanted, state }) => wanted === 'Running' && state === 'Running',
    );
    return this.#lab.hosts.find(({ name }) => name === task?.node);
  }

  /** Of every task so far, on all hosts. */
  async testimonies(): Promise<Testimony[]> {
    return (await Promise.all(this.#lab.hosts.map((host) => this.#testimoniesOn(host)))).flat();
  }

  /** Waits until a writer that is none of these has acknowledged records; returns it with the host it runs on. */
  async recordsAnew(before: readonly Testimony[], timeoutMs = 60_000): Promise<Recorder> {
    const known = new Set(before.map(({ writer }) => writer));
    const found = await until(
      `a new task of service ${this.name} to record`,
      async () => {
        for (const host of this.#lab.hosts) {
          const fresh = (await this.#testimoniesOn(host)).filter(({ writer }) => !known.has(writer));
          const recorder = fresh.find(({ acknowledged }) => acknowledged.length > 2);
          if (recorder !== undefined) return { host, writer: recorder.writer };
        }
        return undefined;
      },
      { timeoutMs, everyMs: 200 },
    ).catch(async (cause: unknown) => {
      throw new Error(JSON.stringify(await this.tasks(), undefined, 1), { cause });
    });
    return new Recorder(found.host, found.writer);
  }

  async #testimoniesOn(host: Host): Promise<Testimony[]> {
    return (await testimoniesOn(host)).filter(({ writer }) => writer.startsWith(`${this.name}.`));
  }
}
