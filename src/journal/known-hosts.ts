import path from 'node:path';
import * as z from 'zod';
import { asHostId, type HostId } from '../array/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { KnownHosts, KnownHost } from '../volumes/ports.ts';
import { parseLine, readChecked, writeChecked } from './checked-text.ts';
import { DelayedWrite } from './delayed-write.ts';
import type { JournalFiles } from './journal-files.ts';

/** Name of the file in the journal's directory. */
export const KNOWN_HOSTS_FILE = 'known-hosts';
const FORMAT = 'docker-volume-scaleio known hosts';
/** Several times what an array can have. */
const MOST_KNOWN = 10_000;

const line = z.object({ id: z.string(), name: z.string().nullable(), ip: z.string().nullable() });

export interface KnownHostsPorts {
  readonly dir: string;
  readonly files: Pick<JournalFiles, 'read' | 'writeAtomic'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  /** False: what is seen stays in memory, because the plugin that runs beside writes the file. */
  readonly isWriter: boolean;
}

/** KnownHosts bound to a file. */
export interface OpenKnownHosts extends KnownHosts {
  /** Writes what is not on disk yet. Never rejects. */
  close(): Promise<void>;
}

/**
 * The 10,000 SDCs of which this host last learned something new: in memory at once, on disk within seconds, and lost without harm
 * to anything but words. A file that cannot be read is begun anew; a newer plugin's stays as it is (rule 19). Never rejects.
 */
export async function openKnownHosts(ports: KnownHostsPorts): Promise<OpenKnownHosts> {
  const file = path.join(ports.dir, KNOWN_HOSTS_FILE);
  const hosts = new Map<HostId, KnownHost>();
  let isNewer = false;
  try {
    const text = await ports.files.read(file);
    const content = text === undefined ? undefined : readChecked(FORMAT, text);
    if (content?.usable === false) {
      isNewer = content.isNewer;
      ports.log.warn({ file, why: content.why }, 'the names of hosts that are away cannot be read');
    }
    for (const one of content?.usable === true ? content.lines : []) {
      const { data } = line.safeParse(parseLine(one));
      if (data !== undefined) hosts.set(asHostId(data.id), { name: data.name, address: data.ip });
    }
  } catch (error) {
    ports.log.warn({ file, error: String(error) }, 'the names of hosts that are away cannot be read');
  }
  return new HostsFile(ports, { file, isWritten: ports.isWriter && !isNewer }, hosts);
}

class HostsFile implements OpenKnownHosts {
  readonly #isWritten: boolean;
  readonly #hosts: Map<HostId, KnownHost>;
  readonly #write: DelayedWrite;

  constructor(
    { files, clock, log }: KnownHostsPorts,
    { file, isWritten }: { readonly file: string; readonly isWritten: boolean },
    hosts: Map<HostId, KnownHost>,
  ) {
    this.#isWritten = isWritten;
    this.#hosts = hosts;
    this.#write = new DelayedWrite({
      what: 'the names of hosts',
      file,
      clock,
      log,
      write: async () => {
        const lines = [...hosts].map(([id, known]) =>
          JSON.stringify({ id, name: known.name, ip: known.address }),
        );
        await files.writeAtomic(file, await writeChecked(FORMAT, { hosts: lines.length }, lines));
      },
    });
  }

  lastKnown(id: HostId): KnownHost | undefined {
    return this.#hosts.get(id);
  }

  remember(id: HostId, { name, address }: KnownHost): void {
    const before = this.#hosts.get(id);
    if (before?.name === name && before.address === address) return;
    if (before === undefined && name === null && address === null) return;
    this.#hosts.delete(id);
    this.#hosts.set(id, { name, address });
    const [longestUnchanged] = this.#hosts.keys();
    if (this.#hosts.size > MOST_KNOWN && longestUnchanged !== undefined) this.#hosts.delete(longestUnchanged);
    if (this.#isWritten) this.#write.changed();
  }

  close(): Promise<void> {
    return this.#write.close();
  }
}
