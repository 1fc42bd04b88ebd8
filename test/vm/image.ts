import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { agentUnit, linkedAway, packages } from './image-content.ts';

/** What a machine boots from. */
export interface Image {
  /** A directory: a Linux made to run as a process (User Mode Linux), with the libraries that it needs. */
  readonly kernel: string;
  /** Raw, ext4, read-only for everybody: a machine writes into a layer of its own above it. */
  readonly root: string;
}

const project = path.resolve(import.meta.dirname, '../..');
const cache = path.join(project, '.cache/vm');
const node = path.join(project, 'node_modules/node/bin/node');
const suite = 'bookworm';
/** Older ones do not run on processors with AVX-512: "ptrace set fp regs failed". */
const kernelSuite = 'sid';
const mmdebstrap = '/usr/bin/mmdebstrap';

/**
 * A Debian with its kernel, made from the packages that this machine's own apt finds; about a minute, once, then it is in .cache/vm
 * until its recipe changes. Throws with what to install where a program is missing.
 */
export async function machineImage(): Promise<Image> {
  requirePrograms();
  const directory = path.join(cache, recipe());
  if (!existsSync(directory)) await oneAtATime(() => build(directory));
  return imageIn(directory);
}

/** Two test runs of one checkout must not build at once. */
async function oneAtATime(work: () => Promise<void>): Promise<void> {
  await mkdir(cache, { recursive: true });
  const lock = execa('flock', [cache, 'cat'], { stdin: 'pipe', stdout: 'pipe', buffer: false });
  const isHeld = once(lock.stdout, 'data');
  lock.stdin.write('held\n');
  await Promise.race([isHeld, lock]);
  try {
    await work();
  } finally {
    lock.stdin.end();
    await lock;
  }
}

function requirePrograms(): void {
  if (!existsSync(mmdebstrap))
    throw new Error(
      'a machine of its own for the tests needs mmdebstrap: run "make deps", or apt-get install mmdebstrap',
    );
}

function imageIn(directory: string): Image {
  return { kernel: path.join(directory, 'kernel'), root: path.join(directory, 'root.img') };
}

/** Another one for another content of the image. */
function recipe(): string {
  const content = JSON.stringify([
    suite,
    packages,
    linkedAway,
    agentUnit,
    kernelSuite,
    kernelPlaces,
    process.versions.node,
  ]);
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

async function build(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  for (const name of await readdir(cache)) await rm(path.join(cache, name), { recursive: true });
  const unfinished = `${directory}.unfinished`;
  const root = path.join(unfinished, 'root');
  await mkdir(unfinished, { recursive: true });
  const image = imageIn(unfinished);
  await Promise.all([bootstrap(root), fetchKernel(image.kernel)]);
  await furnish(root);
  await addModules(root, image.kernel);
  await execa('truncate', ['--size=4G', image.root]);
  await execa('mkfs.ext4', ['-q', '-d', root, image.root]);
  await chmod(image.root, 0o444);
  await rm(root, { recursive: true });
  await rename(unfinished, directory);
}

async function bootstrap(root: string): Promise<void> {
  const withoutDocs = ['doc', 'locale', 'man', 'info'].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  await execa(
    // What it mounts there goes with it, however it ends: the next build removes what this one left.
    'unshare',
    [
      ...[
        '--mount',
        mmdebstrap,
        '--quiet',
        '--variant=minbase',
        '--mode=root',
        `--include=${packages.join(',')}`,
      ],
      ...withoutDocs,
      ...[suite, root],
    ],
  );
}

async function furnish(root: string): Promise<void> {
  const inside = (name: string): string => path.join(root, name);
  await mkdir(inside('usr/local/bin'), { recursive: true });
  await copyFile(node, inside('usr/local/bin/node'));
  await writeFile(inside('etc/hostname'), 'guest\n');
  await writeFile(inside('etc/hosts'), '127.0.0.1 localhost guest\n');
  await writeFile(inside('etc/fstab'), '');
  // Without one, systemd takes this for a first boot and enables whatever is installed.
  await writeFile(inside('etc/machine-id'), `${createHash('md5').update('guest').digest('hex')}\n`);
  const units = inside('etc/systemd/system');
  for (const name of await readdir(units, { recursive: true })) {
    if (/\.(wants|requires)\/./.test(name)) await rm(path.join(units, name));
  }
  for (const name of linkedAway) {
    await rm(path.join(units, name), { force: true });
    await symlink('/dev/null', path.join(units, name));
  }
  await writeFile(path.join(units, 'agent.service'), agentUnit);
  await mkdir(path.join(units, 'multi-user.target.wants'), { recursive: true });
  await symlink('../agent.service', path.join(units, 'multi-user.target.wants/agent.service'));
}

/** Where a machine's kernel finds what kernel.ts shows it of this machine. */
const kernelPlaces = ['image', 'machine', 'proc', 'dev'];

async function fetchKernel(target: string): Promise<void> {
  await execa(mmdebstrap, [
    ...['--quiet', '--variant=extract', '--mode=root', '--include=user-mode-linux'],
    // A mirror that lags behind has a list of unstable's that counts as expired after a week; it is still signed.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    ...[kernelSuite, target],
  ]);
  for (const name of ['bin', 'lib', 'lib64'])
    if (!existsSync(path.join(target, name))) await symlink(`usr/${name}`, path.join(target, name));
  for (const name of kernelPlaces) await mkdir(path.join(target, name), { recursive: true });
}

async function addModules(root: string, kernel: string): Promise<void> {
  const modules = path.join(kernel, 'usr/lib/uml/modules');
  const [version = ''] = await readdir(modules);
  await cp(path.join(modules, version), path.join(root, 'lib/modules', version), { recursive: true });
  await execa('chroot', [root, 'depmod', version]);
  await rm(modules, { recursive: true });
}

if (import.meta.main) console.log((await machineImage()).root);
