import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { agentUnit, initramfsInit, linkedAway, packages } from './image-content.ts';

/** What a machine boots from. */
export interface Image {
  readonly kernel: string;
  readonly initramfs: string;
  /** Raw, ext4, read-only for everybody: a machine writes into a layer of its own above it. */
  readonly root: string;
}

const project = path.resolve(import.meta.dirname, '../..');
const cache = path.join(project, '.cache/vm');
const node = path.join(project, 'node_modules/node/bin/node');
const suite = 'bookworm';
/** What the kernel needs before it has its root disk. */
const diskModules = ['virtio_pci', 'virtio_blk', 'ext4'];

/** Where the programs are that make and run a machine, and the Debian package of each. */
const programs = {
  qemu: ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
  mmdebstrap: ['/usr/bin/mmdebstrap', 'mmdebstrap'],
} as const;

/** The emulator. */
export const qemu = programs.qemu[0];

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
  const missing = Object.values(programs).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
  if (missing.length > 0)
    throw new Error(
      `a machine of its own for the tests needs ${missing.join(' and ')}: run "make deps", or apt-get install ${missing.join(' ')}`,
    );
}

function imageIn(directory: string): Image {
  return {
    kernel: path.join(directory, 'vmlinuz'),
    initramfs: path.join(directory, 'initramfs'),
    root: path.join(directory, 'root.img'),
  };
}

/** Another one for another content of the image. */
function recipe(): string {
  const content = JSON.stringify([
    suite,
    packages,
    linkedAway,
    agentUnit,
    initramfsInit,
    diskModules,
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
  await bootstrap(root);
  const [version = ''] = await readdir(path.join(root, 'lib/modules'));
  await copyFile(path.join(root, `boot/vmlinuz-${version}`), image.kernel);
  await furnish(root);
  await makeInitramfs(root, version, image.initramfs);
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
        'mmdebstrap',
        '--quiet',
        '--variant=minbase',
        '--mode=root',
        `--include=${packages.join(',')}`,
      ],
      ...withoutDocs,
      ...[suite, root],
    ],
    // Debian's kernel package would make an initramfs that nobody boots, for half a minute.
    { env: { INITRD: 'No' } },
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

async function makeInitramfs(root: string, version: string, target: string): Promise<void> {
  const content = path.join(root, 'initramfs');
  for (const name of ['bin', 'dev', 'proc', 'new', 'modules'])
    await mkdir(path.join(content, name), { recursive: true });
  await copyFile(path.join(root, 'bin/busybox'), path.join(content, 'bin/busybox'));
  const needed = new Set<string>();
  for (const name of diskModules) {
    const found = await execa('chroot', [root, 'modprobe', '-S', version, '--show-depends', name]);
    for (const [, file = ''] of found.stdout.matchAll(/^insmod (\S+)/gm)) needed.add(file);
  }
  for (const file of needed)
    await copyFile(path.join(root, file), path.join(content, 'modules', path.basename(file)));
  await writeFile(
    path.join(content, 'modules/list'),
    [...needed].map((file) => `${path.basename(file)}\n`).join(''),
  );
  await writeFile(path.join(content, 'init'), initramfsInit, { mode: 0o755 });
  await execa('chroot', [
    root,
    'sh',
    '-c',
    'cd /initramfs && find . | cpio --quiet -o -H newc | gzip -1 >/initrd',
  ]);
  await copyFile(path.join(root, 'initrd'), target);
  await rm(path.join(root, 'initrd'));
  await rm(content, { recursive: true });
}

if (import.meta.main) console.log((await machineImage()).root);
