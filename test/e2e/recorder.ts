import type { Host } from '../../lab/hosts/host.ts';
import { BUSYBOX } from '../../lab/hosts/image.ts';
import { until } from '../../lab/hosts/until.ts';
import {
  assertKept,
  parseRecords,
  RECORDING,
  type StoredRecord,
  type Testimony,
  testimoniesOn,
  writersInTurn,
} from '../../lab/stage/records.ts';

/** One container that records. */
export class Recorder {
  readonly host: Host;
  readonly writer: string;

  constructor(host: Host, writer: string) {
    this.host = host;
    this.writer = writer;
  }

  /** Starts a container outside of any service that records to the volume; returns when it does. */
  static async start(host: Host, volume: string): Promise<Recorder> {
    const prefix = `${volume}.${host.name}`;
    const detached = ['run', '--detach', '--env', `WRITER=${prefix}`, '--volume', `${volume}:/data`];
    const id = await host.docker([...detached, BUSYBOX, 'sh', '-c', RECORDING]);
    const recorder = new Recorder(host, `${prefix}-${id.slice(0, 6)}`);
    await until(
      `${recorder.writer} to record`,
      async () => (await recorder.testimony()).acknowledged.length > 0,
    );
    return recorder;
  }

  get container(): string {
    return this.writer.slice(this.writer.lastIndexOf('-') + 1);
  }

  async testimony(): Promise<Testimony> {
    const found = (await testimoniesOn(this.host)).find(({ writer }) => writer === this.writer);
    if (found === undefined) throw new Error(`${this.writer} said nothing on ${this.host.name}`);
    return found;
  }

  /** Returns when it has seen more acknowledged than at the time of the call. */
  async goesOn(): Promise<void> {
    const before = (await this.testimony()).acknowledged.length;
    await until(
      `${this.writer} to record`,
      async () => (await this.testimony()).acknowledged.length > before + 1,
    );
  }

  /** Ends its container and removes it. */
  async remove(): Promise<void> {
    await this.host.docker(['rm', '--force', this.container]);
  }

  /** What a shell command in its container prints. */
  async run(command: string): Promise<string> {
    return this.host.docker(['exec', this.container, 'sh', '-c', command]);
  }

  /** The status of its volume as its host tells it. */
  async status(volume: string): Promise<Readonly<Record<string, unknown>>> {
    const said = await this.host.docker(['volume', 'inspect', '--format', '{{json .Status}}', volume]);
    return JSON.parse(said) as Record<string, unknown>;
  }

  /** True when its container does not run any more, or is gone. */
  async isStopped(): Promise<boolean> {
    return !(await this.host.docker(['ps', '--quiet'])).includes(this.container);
  }

  /** The records on the volume, checked: each intact, in order, each that these writers saw acknowledged. */
  async records(testimonies: readonly Testimony[]): Promise<StoredRecord[]> {
    const text = await this.host.docker(['exec', this.container, 'cat', '/data/records']);
    const records = parseRecords(`${text}\n`); // its last newline is not part of a command's output here
    assertKept(records, testimonies);
    writersInTurn(records);
    return records;
  }
}
