import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { environmentTable } from '../src/config/describe-settings.ts';
import { contents } from './contents.ts';

/** Everything the plugin mounts or remembers lies below this; the engine shows it to the host. */
const PROPAGATED = '/var/lib/scaleio';
const STATE_DIR = `${PROPAGATED}/state`;
const MOUNT_ROOT = `${PROPAGATED}/volumes`;

/** Settings that have one right value inside the managed plugin: given as flags, which win over everything. */
export const FIXED_SETTINGS = [
  'SCALEIO_SOCKET',
  'SCALEIO_MOUNT_ROOT',
  'SCALEIO_STATE_DIR',
  'SCALEIO_HOST_MOUNTINFO',
];

interface Environment {
  readonly name: string;
  readonly description: string;
  readonly value: string;
  readonly settable: readonly 'value'[];
}

/**
 * The managed plugin's config.json. What it asks of the host, and why nothing less does, is in plugin/README.md. An engine that may not
 * give a capability itself starts no plugin that asks for it: without `growsExt4` one less is asked for, and a mounted ext4 stays as it is.
 */
export function manifest({ growsExt4 } = { growsExt4: true }): object {
  return {
    description: 'Volumes on Dell ScaleIO, VxFlex OS and PowerFlex',
    documentation: 'https://docs.docker.com/engine/extend/plugins_volume/',
    interface: { types: ['docker.volumedriver/1.0'], socket: 'scaleio.sock' },
    entrypoint: [
      ...[contents.node, ...contents.nodeFlags, contents.bundle, 'serve'],
      ...['--socket', '/run/docker/plugins/scaleio.sock'],
      ...['--mount-root', MOUNT_ROOT, '--state-dir', STATE_DIR],
    ],
    workdir: '/',
    network: { type: 'host' },
    ipchost: false,
    pidhost: true,
    propagatedMount: PROPAGATED,
    // SYS_PTRACE: to see who uses a device, also among processes with more capabilities than ours [ptrace(2)].
    // SYS_RESOURCE: without it the kernel does not let a mounted ext4 grow [Linux fs/ext4/ioctl.c].
    linux: {
      capabilities: ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', ...(growsExt4 ? ['CAP_SYS_RESOURCE'] : [])],
      allowAllDevices: true,
      devices: [],
    },
    mounts: [
      { name: 'dev', description: 'Block devices as they come and go', ...bind('/dev', '/dev') },
      { name: 'sdc', description: "The SDC's own program drv_cfg", ...bind('/opt', '/opt', 'ro') },
      {
        name: 'etc',
        description: 'Password and CA files: /etc/scaleio of the plugin is the one in here',
        ...bind('/etc', '/host/etc', 'ro'),
      },
    ],
    args: { name: 'args', description: 'More flags of serve', value: [], settable: ['value'] },
    env: environment(),
  };
}

/** A directory that every host has; rslave: what the host mounts in it later is seen here, and nothing goes back. */
function bind(source: string, destination: string, ...more: string[]): object {
  return { source, destination, type: 'none', options: ['rbind', 'rslave', ...more], settable: ['source'] };
}

/** Values are empty, so that the program's own defaults hold and a later version may better them. */
function environment(): Environment[] {
  const settings = environmentTable().filter(
    ({ name, isForSteward }) => !isForSteward && !FIXED_SETTINGS.includes(name),
  );
  const settable = settings.map((one): Environment => {
    const standard = one.default === '' ? '' : ` (default ${one.default})`;
    return { name: one.name, description: one.description + standard, value: '', settable: ['value'] };
  });
  const cache = {
    description: "Node's code cache of the program",
    value: contents.compileCache,
    settable: [],
  };
  const state = { description: 'Where it keeps its records', value: STATE_DIR, settable: [] };
  // For commands that are run inside of the plugin beside it.
  const ownState = { name: 'SCALEIO_STATE_DIR', ...state };
  const mounts = { description: 'Where it mounts volumes', value: MOUNT_ROOT, settable: [] };
  const ownMounts = { name: 'SCALEIO_MOUNT_ROOT', ...mounts };
  const memory = Object.entries(contents.environment).map(([name, value]) => ({
    name,
    description: "How glibc's malloc keeps memory",
    value,
    settable: [],
  }));
  return [...settable, ownState, ownMounts, { name: 'NODE_COMPILE_CACHE', ...cache }, ...memory];
}

/** config.json's text. */
export function manifestText(asks?: Parameters<typeof manifest>[0]): string {
  return `${JSON.stringify(manifest(asks), null, 2)}\n`;
}

if (import.meta.main) await writeFile(path.resolve(import.meta.dirname, '../config.json'), manifestText());
