import { asVolumeName } from '../../../src/volumes/volume.ts';
import { asArrayName, asVolumeId, asSystemId, asPoolId } from '../../../src/array/ids.ts';
import path from 'node:path';
import type { JournalFiles } from '../../../src/journal/journal-files.ts';
import { CancelledError } from '../../../src/errors.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Log } from '../../../src/runtime/log.ts';
import { recordedVolume, type HostVolume, type VolumeRecord } from '../../../src/volumes/host-volume.ts';
import type { KnownVolume } from '../../../src/volumes/ports.ts';

/** An error as node:fs throws it. */
export function diskError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** Files in memory that outlive the process that uses them, and a process that can die at any write. */
export class FakeDisk implements JournalFiles {
  readonly contents = new Map<string, string>();
  /** The process dies in this many writes from now: before the new content is in place, or after. */
  dieIn = Infinity;
  dieAfter = false;
  writes = 0;
  failure: Error | undefined;
  #isDead = false;

  /** Another process on the same disk. */
  restart(): FakeDisk {
    const disk = new FakeDisk();
    for (const [file, text] of this.contents) disk.contents.set(file, text);
    for (const [file, ms] of this.agesMs) disk.agesMs.set(file, ms);
    return disk;
  }

  makeDirectory(): Promise<void> {
    return this.#live(() => undefined);
  }

  read(file: string): Promise<string | undefined> {
    return this.#live(() => this.contents.get(file));
  }

  stateOf(file: string): Promise<string | undefined> {
    return this.#live(() => this.contents.get(file));
  }

  /** Files are as old as this says, else they are of now. */
  readonly agesMs = new Map<string, number>();

  modifiedMs(file: string): Promise<number | undefined> {
    const now = Date.UTC(2024, 0, 2);
    return this.#live(() => (this.contents.has(file) ? now - (this.agesMs.get(file) ?? 0) : undefined));
  }

  async writeAtomic(file: string, content: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(content);
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.writes += 1;
    const dies = this.writes > this.dieIn;
    if (dies && !this.dieAfter) {
      this.contents.set(`${file}.0123456789ab.new`, text.slice(0, text.length / 2));
      this.#isDead = true;
    }
    await this.#live(() => this.contents.set(file, text));
    if (dies) this.#isDead = true;
    await this.#live(() => undefined);
  }

  createExclusive(file: string, text: string): Promise<boolean> {
    return this.#live(() => {
      if (this.failure !== undefined) throw this.failure;
      if (this.contents.has(file)) return false;
      this.contents.set(file, text);
      return true;
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#live(() => {
      const text = this.contents.get(from);
      if (text === undefined) throw diskError('ENOENT', 'no such file');
      this.contents.delete(from);
      this.contents.set(to, text);
    });
  }

  remove(file: string): Promise<void> {
    return this.#live(() => {
      this.contents.delete(file);
    });
  }

  list(directory: string): Promise<string[]> {
    return this.#live(() =>
      [...this.contents.keys()]
        .filter((file) => path.dirname(file) === directory)
        .map((file) => path.basename(file)),
    );
  }

  async #live<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#isDead) throw new Error('the process is dead');
    return work();
  }
}

/** Time stands still until the test lets a sleeper wake. */
export class FakeClock implements Clock {
  time = Date.UTC(2024, 0, 2, 3, 4, 5);
  /** What elapsed() tells. */
  passed = 0;
  readonly sleepers: { readonly ms: number; readonly wake: () => void }[] = [];
  #count = 0;

  now(): number {
    return this.time;
  }

  elapsed(): number {
    return this.passed;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        reject(new CancelledError('sleep was cancelled'));
      };
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel);
      this.sleepers.push({ ms, wake: resolve });
    });
  }

  randomHex(digits: number): string {
    this.#count += 1;
    return this.#count.toString(16).padStart(digits, '0');
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: object;
  readonly message: string;
}

/** Keeps what is logged. */
export function fakeLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const add = (level: LogLine['level']) => (facts: object, message: string) => {
    lines.push({ level, facts, message });
  };
  return { lines, debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') };
}

export function hostVolume(name: string, changes: Partial<VolumeRecord> = {}): HostVolume {
  return recordedVolume({
    name,
    arrayName: asArrayName(`docker-${name}`),
    volumeId: asVolumeId('72ce476b00000002'),
    systemId: asSystemId('14dbbf5617523654'),
    phase: 'mounted',
    holders: ['holder-1'],
    mountpoint: `/mnt/docker-${name}`,
    since: '2024-01-02T03:04:05.000Z',
    ...changes,
  });
}

export function knownVolume(name: string, changes: Partial<KnownVolume> = {}): KnownVolume {
  return {
    name: asVolumeName(name),
    arrayName: asArrayName(`docker-${name}`),
    volumeId: asVolumeId('72ce476b00000002'),
    sizeKiB: 16_777_216,
    createdAtSeconds: 1_700_000_000,
    poolId: asPoolId('76f2b2fd00000000'),
    readOnly: false,
    label: {
      version: 1,
      name,
      fs: 'xfs',
      mountOptions: ['noatime'],
      subpath: '',
      iops: 0,
      bandwidthKiBps: 0,
      failover: 'default',
      requestedKiB: 16_777_216,
    },
    ...changes,
  };
}
