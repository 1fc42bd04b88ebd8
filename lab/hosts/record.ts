import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { keepLogs } from '../secrets/kept-logs.ts';
import { killGroups, labGroups, removeLabGroups } from './cgroup.ts';
import { output } from './namespace.ts';
import type { LabPlan } from './plan.ts';
import { identify, isRunning, killHard, type ProcessId } from './process.ts';

/** Where labs keep everything. On disk, because Docker's overlay and sparse volumes need a real file system. */
const BASE = '/var/tmp/docker-volume-scaleio-lab';

interface Contents {
  /** The process that will close the lab; null: it stays until somebody asks for its end. */
  owner: ProcessId | null;
  processes: ProcessId[];
  madeDirectories: string[];
  /** Control groups; where they are depends on the process that made the lab. */
  groups: string[];
  plan?: LabPlan;
}

/** What a lab has made on the machine, on disk before it is used, so that a later run can remove it. */
export class LabRecord {
  readonly name: string;
  readonly directory: string;
  readonly #contents: Contents;
  #writing: Promise<void> = Promise.resolve();

  private constructor(name: string, contents: Contents) {
    this.name = name;
    this.directory = path.join(BASE, name);
    this.#contents = contents;
  }

  /** The record of a lab that another process made. */
  static async open(name: string): Promise<LabRecord> {
    if (!(await labNames()).includes(name)) throw new Error(`there is no lab "${name}": make lab`);
    return new LabRecord(name, await readContents(name));
  }

  static async create(name: string, keep: boolean): Promise<LabRecord> {
    const owner = identify(process.pid) ?? null;
    const record = new LabRecord(name, {
      owner: keep ? null : owner,
      processes: [],
      madeDirectories: [],
      groups: await labGroups(name),
    });
    await mkdir(record.directory, { recursive: true, mode: 0o700 });
    await record.#save();
    return record;
  }

  /** The lab's control groups, one in each hierarchy. */
  get groups(): readonly string[] {
    return this.#contents.groups;
  }

  /** Throws while the lab is not made yet. */
  get plan(): LabPlan {
    const { plan } = this.#contents;
    if (plan === undefined) throw new Error(`lab "${this.name}" is half made: end it with make lab-down`);
    return plan;
  }

  async savePlan(plan: LabPlan): Promise<void> {
    this.#contents.plan = plan;
    await this.#save();
  }

  async addProcess(id: ProcessId): Promise<void> {
    this.#contents.processes.push(id);
    await this.#save();
  }

  /** Makes a directory outside of the lab's own; the last lab that uses it removes it, unless it was there before. */
  async makeMachineDirectory(directory: string): Promise<void> {
    const missing: string[] = [];
    for (let at = directory; !existsSync(at); at = path.dirname(at)) missing.push(at);
    const others = await Promise.all((await labNames()).map(readContents));
    const made = new Set([...others.flatMap((other) => other.madeDirectories), ...missing]);
    this.#contents.madeDirectories.push(...made);
    await this.#save();
    await mkdir(directory, { recursive: true });
  }

  async #save(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const file = path.join(this.directory, 'lab.json');
      await writeFile(`${file}.new`, JSON.stringify(this.#contents));
      await rename(`${file}.new`, file);
    });
    await this.#writing;
  }
}

/** Removes what labs of interrupted runs have left; those that somebody still owns or wants kept stay. */
export async function sweepAbandonedLabs(): Promise<void> {
  for (const name of await labNames()) {
    const { owner } = await readContents(name);
    if (owner !== null && !isRunning(owner)) await removeLab(name);
  }
}

/** Names of all labs of this machine. */
export async function labNames(): Promise<string[]> {
  return existsSync(BASE) ? readdir(BASE) : [];
}

/** Ends every process of a lab and removes all it made. Nothing left, or half of it, is success too. */
export async function removeLab(name: string): Promise<void> {
  const directory = path.join(BASE, name);
  const { processes, madeDirectories, groups } = await readContents(name);
  await killGroups(groups);
  await Promise.all(processes.map(killHard));
  await removeLabGroups(groups);
  if (existsSync(directory)) await keepLogs(directory);
  await removeTree(directory);
  if ((await labNames()).length > 0) return;
  for (const made of madeDirectories.toSorted().toReversed()) await removeIfEmpty(made);
  await removeIfEmpty(BASE);
}

/** The record goes last, so that an interrupted removal can be taken up again. */
async function removeTree(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const entry of await readdir(directory)) {
    if (entry !== 'lab.json') await removeEntry(path.join(directory, entry));
  }
  await rm(directory, { recursive: true });
}

async function removeEntry(entry: string): Promise<void> {
  try {
    await rm(entry, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    await output(['chattr', '-R', '-f', '-i', entry]); // a mountpoint that was guarded against writing
    await rm(entry, { recursive: true, force: true });
  }
}

async function readContents(name: string): Promise<Contents> {
  const file = path.join(BASE, name, 'lab.json');
  if (!existsSync(file))
    return {
      owner: { pid: 0, start: '' },
      processes: [],
      madeDirectories: [],
      groups: await labGroups(name),
    };
  return JSON.parse(await readFile(file, 'utf8')) as Contents;
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(code)) throw error;
  }
}
