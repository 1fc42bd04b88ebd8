import path from 'node:path';
import { FilesystemError } from '../errors.ts';
import { cancelled } from '../host/cancelled.ts';
import type { DeviceUser, DeviceUsers } from '../volumes/ports.ts';
import { kernelHolders, type KernelPlaces } from './kernel-holders.ts';
import { mountsOfDevice, type NamespaceMount } from './mounts.ts';
import { containerOf, processIds, programOf, useOfDevice } from './processes.ts';

export interface DeviceUsersOptions {
  /** Of this process, which is left out. */
  readonly ownPid: number;
  /** Defaults: /proc, /sys. */
  readonly places?: Partial<KernelPlaces> | undefined;
}

/** Looked at in one go; between them other work of this process gets its turn. */
const PROCESSES_AT_ONCE = 20;

/**
 * Who uses a device of this host, read from /proc and /sys. Needs to see the host's processes (pidhost) and to be allowed to look at
 * them (CAP_SYS_PTRACE).
 */
export function createDeviceUsers({ ownPid, places = {} }: DeviceUsersOptions): DeviceUsers {
  const all: KernelPlaces = { proc: '/proc', sys: '/sys', ...places };
  return {
    usersOf: async (device, ownMountpoint, signal) => {
      const rdev = deviceId(device.number);
      const others = allProcesses(all.proc, device.node).filter((pid) => pid !== ownPid);
      const holders = kernelHolders(all, { number: device.number, rdev });
      return [
        ...(await usingProcesses(all.proc, others, rdev, signal)),
        ...mountUsers(all.proc, mountsOfDevice(all.proc, others, device), ownMountpoint),
        ...holders.map((what): DeviceUser => ({ kind: 'kernel', what })),
      ];
    },
  };
}

/** Linux' encoding of major and minor in dev_t [glibc sysmacros.h]. */
function deviceId(number: string): bigint {
  const [major = 0n, minor = 0n] = number.split(':').map(BigInt);
  return (
    ((major & 0xfffff000n) << 32n) |
    ((major & 0xfffn) << 8n) |
    ((minor & 0xffffff00n) << 12n) |
    (minor & 0xffn)
  );
}

function allProcesses(proc: string, node: string): number[] {
  try {
    return processIds(proc);
  } catch (cause) {
    throw new FilesystemError(
      `cannot tell who uses "${node}": the processes of this host cannot be seen in "${proc}"; give the plugin pidhost`,
      { cause },
    );
  }
}

async function usingProcesses(
  proc: string,
  pids: readonly number[],
  rdev: bigint,
  signal: AbortSignal,
): Promise<DeviceUser[]> {
  const users: DeviceUser[] = [];
  const seen = new Map<string, boolean>();
  for (const [index, pid] of pids.entries()) {
    if (signal.aborted) throw cancelled('looking for who uses a device', signal);
    if (index % PROCESSES_AT_ONCE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const use = useOfDevice(proc, pid, rdev, seen);
    if (use === undefined) continue;
    const who = { pid, program: programOf(proc, pid), containerId: containerOf(proc, pid) };
    if (use === 'hidden') {
      users.push({ kind: 'hidden', ...who, what: 'may not be looked at, so it may use it' });
    } else users.push({ kind: 'process', ...who, what: use === 'open' ? 'has it open' : 'has it mapped' });
  }
  return users;
}

/** The plugin's own mount is seen from the host and from whoever follows the host, under another path with the same end. */
function mountUsers(proc: string, mounts: readonly NamespaceMount[], ownMountpoint: string): DeviceUser[] {
  return mounts.flatMap(({ pid, mountpoint }): DeviceUser[] => {
    const containerId = containerOf(proc, pid);
    const isOwn =
      ownMountpoint !== '' &&
      containerId === undefined &&
      path.basename(mountpoint) === path.basename(ownMountpoint);
    if (isOwn) return [];
    return [
      {
        kind: 'mount',
        pid,
        program: programOf(proc, pid),
        containerId,
        what: `has it mounted at "${mountpoint}"`,
      },
    ];
  });
}
