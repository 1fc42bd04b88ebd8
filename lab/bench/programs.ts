import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleFile } from '../../plugin/bundle.ts';

const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const START_LIMIT_MS = 30_000;

interface ProgramOptions {
  readonly logFile: string;
  /** What the pinned Node runs; the bundled program when left out. */
  readonly entry?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process takes of its host's memory. */
export interface Memory {
  readonly residentMiB: number;
  /** The part of it that no file stands behind, so that it cannot be dropped. */
  readonly anonymousMiB: number;
}

/** The bundled program as one of its commands, or another entry, under the pinned Node; its output goes to a file. */
export class Program {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #name: string;

  constructor(args: readonly string[], at: ProgramOptions) {
    const log = openSync(at.logFile, 'a');
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...at.env };
    this.#logFile = at.logFile;
    this.#name = args[0] ?? '';
    this.#child = spawn(node, [...(at.nodeFlags ?? []), ...(at.entry ?? [bundleFile]), ...args], {
      stdio: ['ignore', log, log],
      env,
    });
    closeSync(log);
  }

  /**
   * Asks `look` every `everyMs` until it finds something. Throws what the program said last when it ends by itself or
   * nothing is found within 30 s.
   */
  async until<T>(look: () => Promise<T | undefined>, everyMs = 20): Promise<T> {
    const end = performance.now() + START_LIMIT_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.#isOver || performance.now() > end) {
        const last = (await this.output()).trim().split('\n').slice(-5).join('\n');
        throw new Error(`"${this.#name}" does not work:\n${last}`);
      }
      await delay(everyMs);
    }
  }

  /** What the program has printed so far. */
  output(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  /** Resident memory now [proc(5), smaps_rollup]. */
  async memory(): Promise<Memory> {
    const rollup = await readFile(`/proc/${this.#child.pid ?? 0}/smaps_rollup`, 'utf8');
    const mib = (line: RegExp): number => Number(line.exec(rollup)?.[1]) / 1024;
    return {
      residentMiB: mib(/^Rss:\s+(\d+) kB$/m),
      anonymousMiB: mib(/^Anonymous:\s+(\d+) kB$/m),
    };
  }

  /** Asks it to end and waits until it has. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
