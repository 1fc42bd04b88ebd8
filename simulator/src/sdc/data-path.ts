import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SdcAgentError } from './sdc-agent-error.ts';

export interface DataPathOptions {
  /** The compiled scini program. */
  readonly scini: string;
  readonly guid: string;
  readonly fenceDir: string;
  readonly volumeId: string;
  readonly file: string;
  readonly readOnly: boolean;
  /** What is flushed outlives a power cut of this machine. */
  readonly durable?: boolean;
}

type Scini = ChildProcessByStdio<Writable, Readable, Readable>;

/** How long an ordered end may take before it is forced. */
const DETACH_DEADLINE_MS = 10_000;

/**
 * One running scini process: while it lives the loop device does I/O on the volume, after `ended` it never will
 * again. It ends by itself when the fence says so and when this process ends.
 */
export class DataPath {
  /** Kernel name of the device, such as `loop3`. */
  readonly loop: string;
  /** Resolves when the process is gone and all I/O on its device dead. */
  readonly ended: Promise<void>;
  readonly #child: Scini;
  readonly #lines: NodeJS.EventEmitter;

  private constructor(loop: string, child: Scini, lines: NodeJS.EventEmitter) {
    this.loop = loop;
    this.#child = child;
    this.#lines = lines;
    this.ended = this.over ? Promise.resolve() : once(child, 'close').then(ignore);
  }

  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Resolves when the device is there; undefined when the fence does not allow it. Throws SdcAgentError with what
   * scini said otherwise.
   */
  static async start(options: DataPathOptions): Promise<DataPath | undefined> {
    const { scini, guid, fenceDir, volumeId, file } = options;
    const flags = ['--file', file, '--volume', volumeId, '--guid', guid, '--fence-dir', fenceDir];
    if (options.readOnly) flags.push('--read-only');
    if (options.durable === true) flags.push('--durable');
    const child = spawn(scini, flags, {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.stdin.on('error', ignore);
    const lines = createInterface({ input: child.stdout });
    const gone = once(child, 'close') as Promise<[number | null]>;
    const first = await Promise.race([once(lines, 'line') as Promise<[string]>, gone]);
    if (typeof first[0] === 'string') return new DataPath(first[0].replace('ready ', ''), child, lines);
    if (first[0] === 2) return undefined;
    throw new SdcAgentError(`Making a device of volume "${volumeId}" failed: ${complaint.trim()}`);
  }

  /** Takes a new size of the file; resolves when the device has it, or is gone. */
  async rescan(): Promise<void> {
    const resized = once(this.#lines, 'line');
    this.#tell('rescan');
    await Promise.race([resized, this.ended]);
  }

  /** IOPS and KiB per second, 0 is unlimited. */
  limit(iops: number, kibPerSecond: number): void {
    this.#tell(`limits ${iops} ${kibPerSecond}`);
  }

  /** Ends I/O in order: what a raw writer left in the device's cache is written out. Resolves when it is dead. */
  async detach(): Promise<void> {
    this.#tell('detach');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), DETACH_DEADLINE_MS);
    await this.ended;
    clearTimeout(force);
  }

  /** Ends I/O as a power cut does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #tell(line: string): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${line}\n`);
  }
}

function ignore(): void {
  return undefined;
}
