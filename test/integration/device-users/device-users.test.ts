import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDeviceUsers } from '../../../src/device-users/device-users.ts';
import type { DeviceUser } from '../../../src/volumes/ports.ts';
import { hasCapability, LoopDevice, MIB, sh } from '../filesystem/loop-device.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

const never = new AbortController().signal;
const CAP_SYS_PTRACE = 19;

describe('who uses a device', () => {
  let directory: string;
  let loop: LoopDevice;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'device-users-'));
    loop = await LoopDevice.create(32 * MIB);
  });
  afterEach(async () => {
    await loop.detach();
    await rm(directory, { recursive: true });
  });

  const users = createDeviceUsers({ ownPid: process.pid });
  /** Where the machine itself is a container, its first process may have more capabilities than its root. */
  const isNoMachineProcess = ({ kind, pid }: DeviceUser): boolean => kind !== 'hidden' || pid !== 1;
  const look = async (own = ''): Promise<readonly DeviceUser[]> =>
    (await users.usersOf(loop, own, never)).filter(isNoMachineProcess);
  /** A child that is ended with the test, and is `ready` when it has printed a line. */
  const start = async (program: string, ...args: string[]): Promise<ChildProcess & { pid: number }> => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    if (child.pid === undefined) throw new Error(`${program} did not start`);
    return Object.assign(child, { pid: child.pid });
  };
  const python = (script: string): ReturnType<typeof start> =>
    start('/usr/bin/python3', '-c', `${script}\nprint("ready", flush=True)\ninput()`, loop.node);

  it('is nobody while nobody does', async () => {
    expect(await look()).toEqual([]);
  });

  it('is a process that has it open, also read-only and without O_EXCL', async () => {
    const { pid } = await python('import sys; f = open(sys.argv[1], "rb", 0)');
    expect(await look()).toMatchObject([{ kind: 'process', pid, what: 'has it open' }]);
  });

  it('is a process that has it open by another node of the same number', async () => {
    const node = path.join(directory, 'node');
    const [major = '', minor = ''] = loop.number.split(':');
    await sh('mknod', node, 'b', major, minor);
    const { pid } = await start('/bin/sh', '-c', `exec 3<"${node}"; echo ready; read line`);
    expect(await look()).toMatchObject([{ kind: 'process', pid }]);
  });

  it('is a process that has closed it and still has it mapped', async () => {
    const { pid } = await python(
      // Not by Python's mmap, which keeps a descriptor.
      `import sys, os, ctypes; f = os.open(sys.argv[1], os.O_RDWR); c = ctypes.CDLL(None, use_errno=True)
c.mmap.restype = ctypes.c_void_p
m = c.mmap(ctypes.c_void_p(None), ctypes.c_size_t(4096), 3, 1, f, ctypes.c_long(0)); os.close(f)`,
    );
    expect(await look()).toMatchObject([{ kind: 'process', pid, what: 'has it mapped' }]);
  });

  it('is a process with it mounted in a mount namespace of its own, but not our own mount', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    const [own, inside] = [path.join(directory, 'docker-db'), path.join(directory, 'data')];
    await mkdir(own);
    await mkdir(inside);
    const script = `mount ${loop.node} ${inside} && echo ready && read line`;
    const child = await start('unshare', '--mount', 'sh', '-c', script);
    await sh('mount', loop.node, own);
    try {
      const found = await look(own);
      const there = { kind: 'mount', what: `has it mounted at "${inside}"`, pid: child.pid };
      expect(found).toContainEqual(expect.objectContaining(there));
      expect(found.filter(({ kind, what }) => kind === 'mount' && !what.includes(inside))).toEqual([]);
      child.stdin?.end();
      await vi.waitFor(async () => {
        expect((await look(own)).filter(({ kind }) => kind === 'mount')).toEqual([]);
      }, PATIENT);
    } finally {
      await sh('umount', own);
    }
  });

  it('is a loop device on it, and the kernel that swaps to it', async () => {
    const above = await LoopDevice.over(loop.node);
    expect(await look()).toEqual([
      { kind: 'kernel', what: `loop device "${path.basename(above.node)}" is built on it` },
    ]);
    await sh('losetup', '--detach', above.node);
    await vi.waitFor(async () => {
      expect(await look()).toEqual([]);
    }, PATIENT);
    await sh('mkswap', loop.node);
    await sh('swapon', loop.node);
    try {
      expect(await look()).toContainEqual({ kind: 'kernel', what: 'the kernel swaps to it' });
    } finally {
      await sh('swapoff', loop.node);
    }
  });

  it('is what is built on it and what exports it, as the kernel tells in /sys', async () => {
    const [, minor = ''] = loop.number.split(':');
    const sys = path.join(directory, 'sys');
    const nvmet = path.join(sys, 'kernel/config/nvmet/subsystems/nqn.x/namespaces/3');
    const lio = path.join(sys, 'kernel/config/target/core/iblock_0/disk');
    await mkdir(path.join(sys, 'dev/block', `7:${minor}`, 'holders/dm-4'), { recursive: true });
    for (const [folder, file] of [
      [nvmet, 'device_path'],
      [lio, 'udev_path'],
    ] as const) {
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, file), `${loop.node}\n`);
    }
    const there = createDeviceUsers({ ownPid: process.pid, places: { sys } });
    const found = (await there.usersOf(loop, '', never)).filter(isNoMachineProcess);
    expect(found.map(({ what }) => what)).toEqual([
      'block device "dm-4" is built on it',
      'NVMe target "nqn.x" exports it as namespace 3',
      'SCSI target "disk" exports it',
    ]);
  });

  it('is told with its container', async () => {
    const id = 'cd'.repeat(32);
    const proc = path.join(directory, 'proc');
    const cgroups = {
      11: `0::/system.slice/docker-${id}.scope\n`,
      12: `5:memory:/docker/${id}\n0::/\n`,
      13: `0::/machine.slice/libpod-${id}.scope/container\n`,
      14: `0::/kubepods.slice/pod1/cri-containerd-${id}.scope\n`,
      15: `0::/user.slice/session-1.scope\n`,
    };
    for (const [pid, cgroup] of Object.entries(cgroups)) {
      await mkdir(path.join(proc, pid, 'fd'), { recursive: true });
      await symlink(loop.node, path.join(proc, pid, 'fd/3'));
      await writeFile(path.join(proc, pid, 'cgroup'), cgroup);
      await writeFile(path.join(proc, pid, 'comm'), 'postgres\n');
    }
    const there = createDeviceUsers({ ownPid: 1, places: { proc } });
    const found = await there.usersOf(loop, '', never);
    expect(found.map(({ containerId }) => containerId)).toEqual([id, id, id, id, undefined]);
    expect(found[0]).toMatchObject({ kind: 'process', pid: 11, program: 'postgres' });
  });

  it('may be whoever cannot be looked at, which takes CAP_SYS_PTRACE', async ({ skip }) => {
    skip(!(await hasCapability(CAP_SYS_PTRACE)), 'this machine withholds CAP_SYS_PTRACE');
    const module = path.resolve(import.meta.dirname, '../../../src/device-users/device-users.ts');
    const script = `import { createDeviceUsers } from ${JSON.stringify(module)};
      const users = createDeviceUsers({ ownPid: process.pid });
      console.log(JSON.stringify(await users.usersOf(${JSON.stringify(loop)}, '', new AbortController().signal)));`;
    const scan = async (...drop: string[]): Promise<DeviceUser[]> => {
      const text = await sh('setpriv', ...drop, process.execPath, '--input-type=module', '--eval', script);
      return (JSON.parse(text) as DeviceUser[]).filter(isNoMachineProcess);
    };
    expect(await scan('--nnp')).toEqual([]);
    const without = await scan('--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace');
    expect(without).toContainEqual(expect.objectContaining({ kind: 'hidden', pid: process.pid }));
  });

  it('is not asked of a host whose processes cannot be seen', async () => {
    const blind = createDeviceUsers({ ownPid: 1, places: { proc: path.join(directory, 'none') } });
    await expect(blind.usersOf(loop, '', never)).rejects.toThrow(
      /cannot tell who uses .*give the plugin pidhost/,
    );
    expect((await stat(loop.node)).isBlockDevice()).toBe(true);
  });
});
