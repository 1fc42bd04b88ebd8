import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identify, killHard, type ProcessId, signal, threadStates } from './process.ts';
import { until } from './until.ts';

const FAMILY = 'docker-volume-scaleio-lab';

/** What makes a frozen group go on, in version 1 and 2. */
const THAWING = [
  ['freezer.state', 'THAWED'],
  ['cgroup.freeze', '0'],
] as const;

interface Hierarchy {
  readonly mountpoint: string;
  /** Where new labs' groups go: below our own group in version 1 (to stay within its limits), at the top in version 2. */
  readonly parent: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

interface Freezer {
  readonly switch: string;
  readonly state: string;
  asks(frozen: boolean): string;
  says(frozen: boolean): string;
}

/** One host's control group in every hierarchy of the machine: what holds, freezes and finds all its processes. */
export class HostCgroup {
  readonly #directories: readonly { directory: string; hierarchy: Hierarchy }[];

  private constructor(directories: readonly { directory: string; hierarchy: Hierarchy }[]) {
    this.#directories = directories;
  }

  /** Makes the host's group in each of its lab's groups; there already is success. */
  static async create(labGroups: readonly string[], host: string): Promise<HostCgroup> {
    const directories = (await hierarchies()).flatMap((hierarchy) => {
      const group = labGroups.find((one) => one.startsWith(`${hierarchy.mountpoint}/`));
      if (group === undefined) return [];
      return [{ hierarchy, directory: path.join(group, host), above: path.resolve(group, '../..') }];
    });
    for (const { hierarchy, directory, above } of directories) await makeGroup(hierarchy, above, directory);
    return new HostCgroup(directories);
  }

  /** Whether the host's processes stand still, or are about to. */
  async isFrozen(): Promise<boolean> {
    const control = this.#freezer();
    return !(await readFile(control.switch, 'utf8')).includes(control.asks(false));
  }

  /** Every process of the host, those of containers and plugins included. */
  async processes(): Promise<ProcessId[]> {
    return membersBelow(this.#directories.map(({ directory }) => directory));
  }

  /** Files that take a process id (0: the writer) into the host. */
  get joinFiles(): string[] {
    return this.#directories.map(({ directory, hierarchy }) => {
      const leaf = path.join(directory, 'init');
      // Version 2 allows processes in leaves only; the host's init has moved itself into one.
      return path.join(hierarchy.version === 2 && existsSync(leaf) ? leaf : directory, 'cgroup.procs');
    });
  }

  /** Stops every process of the host where it stands, or lets them go on. Returns when it has happened. */
  async freeze(frozen: boolean): Promise<void> {
    const control = this.#freezer();
    const wanted = control.says(frozen);
    await writeFile(control.switch, control.asks(frozen));
    await until(`${control.state} to say ${wanted}`, async () => {
      const isSaid = (await readFile(control.state, 'utf8')).includes(wanted);
      return isSaid || (frozen && (await this.#allStandStill()));
    });
  }

  /**
   * A process that waits for a disk whose data path is frozen already is never counted as frozen, so the kernel does not
   * say that all are; but it stands still, and is frozen before it could go on.
   */
  async #allStandStill(): Promise<boolean> {
    const states = await Promise.all((await this.processes()).map(threadStates));
    return states.flat().every((state) => 'DTZX'.includes(state));
  }

  #freezer(): Freezer {
    for (const { directory, hierarchy } of this.#directories) {
      const old = path.join(directory, 'freezer.state');
      const words = (frozen: boolean): string => (frozen ? 'FROZEN' : 'THAWED');
      if (hierarchy.controllers.includes('freezer'))
        return { switch: old, state: old, asks: words, says: words };
      const file = path.join(directory, 'cgroup.freeze');
      if (hierarchy.version !== 2 || !existsSync(file)) continue;
      const digit = (frozen: boolean): string => (frozen ? '1' : '0');
      const state = path.join(directory, 'cgroup.events');
      return { switch: file, state, asks: digit, says: (frozen) => `frozen ${digit(frozen)}` };
    }
    throw new Error('this machine has no cgroup freezer: mount the freezer hierarchy or cgroup version 2');
  }

  /** SIGKILL to everything in the groups, also to what is frozen and dies only when it may go on. */
  async kill(): Promise<void> {
    await killGroups(this.#directories.map(({ directory }) => directory));
  }

  /** Ends whatever still runs in the groups and removes them. */
  async remove(): Promise<void> {
    for (const { directory } of this.#directories) await removeGroup(directory);
  }
}

/** A lab's group in every hierarchy, as this process would make them. */
export async function labGroups(lab: string): Promise<string[]> {
  return (await hierarchies()).map(({ parent }) => path.join(parent, FAMILY, lab));
}

/** SIGKILL to every process in the groups and below; frozen ones are let go on, to die before they do anything. */
export async function killGroups(groups: readonly string[]): Promise<void> {
  for (const member of await membersBelow(groups)) signal(member, 'SIGKILL');
  for (const directory of await allBelow(groups)) {
    for (const [file, word] of THAWING) {
      const control = path.join(directory, file);
      if (existsSync(control)) await writeFile(control, word);
    }
  }
}

async function membersBelow(groups: readonly string[]): Promise<ProcessId[]> {
  const members = (await Promise.all((await allBelow(groups)).map(membersOf))).flat();
  return [...new Map(members.map((member) => [member.pid, member])).values()];
}

async function allBelow(groups: readonly string[]): Promise<string[]> {
  return (await Promise.all(groups.filter((group) => existsSync(group)).map(withGroupsBelow))).flat();
}

async function withGroupsBelow(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(group, entry.name));
  return [group, ...(await Promise.all(below.map(withGroupsBelow))).flat()];
}

async function membersOf(group: string): Promise<ProcessId[]> {
  const text = await readFile(path.join(group, 'cgroup.procs'), 'utf8');
  const pids = text.trim().split('\n').filter(Boolean).map(Number);
  return pids.map(identify).filter((id) => id !== undefined);
}

/** Ends every process in the groups and removes them; gone already is success. */
export async function removeLabGroups(groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    await removeGroup(group);
    await rmdirUnlessBusy(path.dirname(group));
  }
}

async function hierarchies(): Promise<Hierarchy[]> {
  const own = (await readFile('/proc/self/cgroup', 'utf8')).trim().split('\n');
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).trim().split('\n');
  return own.flatMap((line): Hierarchy[] => {
    const [, names = '', ...rest] = line.split(':');
    const wanted = names === '' ? [] : names.replace('name=', '').split(',');
    const mount = mounts.map(parseMount).find((one) => matches(one, wanted));
    if (mount === undefined) return [];
    const version = wanted.length === 0 ? 2 : 1;
    const parent = version === 1 ? path.join(mount.mountpoint, rest.join(':')) : mount.mountpoint;
    return [{ mountpoint: mount.mountpoint, parent, version, controllers: wanted }];
  });
}

interface CgroupMount {
  readonly mountpoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

function parseMount(line: string): CgroupMount {
  const [left = '', right = ''] = line.split(' - ');
  const [type = '', , options = ''] = right.split(' ');
  const controllers = options.split(',').map((option) => option.replace('name=', ''));
  return { mountpoint: left.split(' ')[4] ?? '', type, options: controllers };
}

function matches(mount: CgroupMount, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return mount.type === 'cgroup2';
  return mount.type === 'cgroup' && wanted.every((name) => mount.options.includes(name));
}

async function makeGroup(hierarchy: Hierarchy, above: string, directory: string): Promise<void> {
  const steps = path.relative(above, directory).split(path.sep);
  let current = above;
  for (const step of steps) {
    if (hierarchy.version === 2) await passControllersDown(current);
    const parent = current;
    current = path.join(current, step);
    await mkdir(current, { recursive: true });
    if (hierarchy.controllers.includes('cpuset')) await inheritCpuset(parent, current);
  }
}

/** A new cpuset is empty and takes no process until it has processors and memory nodes. */
async function inheritCpuset(parent: string, child: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const value = await readFile(path.join(parent, file), 'utf8');
    await writeFile(path.join(child, file), value);
  }
}

async function passControllersDown(directory: string): Promise<void> {
  const available = (await readFile(path.join(directory, 'cgroup.controllers'), 'utf8')).trim();
  if (available === '') return;
  const wanted = available.split(' ').map((name) => `+${name}`);
  await writeFile(path.join(directory, 'cgroup.subtree_control'), wanted.join(' '));
}

async function removeGroup(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeGroup(path.join(directory, entry.name));
  }
  await until(`the processes in ${directory} to end`, async () => {
    await Promise.all((await membersOf(directory)).map(killHard));
    return rmdirUnlessBusy(directory);
  });
}

async function rmdirUnlessBusy(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}
