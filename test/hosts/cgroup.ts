import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identify, killHard } from './process.ts';
import { until } from './until.ts';

const family = 'docker-volume-scaleio-lab';

interface Hierarchy {
  readonly mountpoint: string;
  /** Where our groups go: below our own group in version 1 (to stay within its limits), at the top in version 2. */
  readonly parent: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** One host's control group in every hierarchy of the machine: what holds, freezes and finds all its processes. */
export class HostCgroup {
  readonly #directories: readonly { directory: string; hierarchy: Hierarchy }[];

  private constructor(directories: readonly { directory: string; hierarchy: Hierarchy }[]) {
    this.#directories = directories;
  }

  /** Makes the groups `<family>/<lab>/<host>`; there already is success. */
  static async create(lab: string, host: string): Promise<HostCgroup> {
    const directories = (await hierarchies()).map((hierarchy) => ({
      hierarchy,
      directory: path.join(hierarchy.parent, family, lab, host),
    }));
    for (const { hierarchy, directory } of directories) await makeGroup(hierarchy, directory);
    return new HostCgroup(directories);
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
    for (const { directory, hierarchy } of this.#directories) {
      if (hierarchy.controllers.includes('freezer')) {
        const file = path.join(directory, 'freezer.state');
        const wanted = frozen ? 'FROZEN' : 'THAWED';
        await writeFile(file, wanted);
        await until(`${file} to be ${wanted}`, async () => (await readFile(file, 'utf8')).trim() === wanted);
        return;
      }
      if (hierarchy.version === 2 && existsSync(path.join(directory, 'cgroup.freeze'))) {
        await writeFile(path.join(directory, 'cgroup.freeze'), frozen ? '1' : '0');
        const events = path.join(directory, 'cgroup.events');
        const line = `frozen ${frozen ? 1 : 0}`;
        await until(`${events} to say ${line}`, async () => (await readFile(events, 'utf8')).includes(line));
        return;
      }
    }
    throw new Error('this machine has no cgroup freezer: mount the freezer hierarchy or cgroup version 2');
  }

  /** Ends whatever still runs in the groups and removes them. */
  async remove(): Promise<void> {
    for (const { directory } of this.#directories) await removeGroup(directory);
  }
}

/** A lab's group in every hierarchy, as this process would make them. */
export async function labGroups(lab: string): Promise<string[]> {
  return (await hierarchies()).map(({ parent }) => path.join(parent, family, lab));
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

async function makeGroup(hierarchy: Hierarchy, directory: string): Promise<void> {
  const steps = path.relative(hierarchy.parent, directory).split(path.sep);
  let current = hierarchy.parent;
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
  const procs = path.join(directory, 'cgroup.procs');
  await until(`the processes in ${directory} to end`, async () => {
    const pids = (await readFile(procs, 'utf8')).trim().split('\n').filter(Boolean).map(Number);
    const members = pids.map(identify).filter((id) => id !== undefined);
    await Promise.all(members.map(killHard));
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
