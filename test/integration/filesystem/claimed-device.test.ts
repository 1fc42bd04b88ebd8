import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { release } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeviceUsers } from '../../../src/device-users/device-users.ts';
import { DeviceHeldError } from '../../../src/errors.ts';
import { inspectLabel } from '../../../src/filesystem/label-inspection.ts';
import { createRunner } from '../../../src/host/run.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { patiently } from '../../../src/volumes/life/patience.ts';
import { POLICY } from '../../unit/volumes/world/life.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;
/** Opens a device as multipathd and mdadm do, for itself alone (O_RDONLY|O_EXCL), until its input ends. */
const CLAIM = 'sysopen(my $held, $ARGV[0], 0200) or die "$!"; $| = 1; print "ready\n"; <STDIN>;';

describe('a device that another program has claimed', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  let claimant: ChildProcess;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    root = await MountedRoot.create();
  });
  afterEach(async () => {
    await letGo();
    await root.dispose();
    await loop.detach();
  });

  const claim = async (): Promise<void> => {
    claimant = spawn('perl', ['-e', CLAIM, loop.node], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (claimant.stdout !== null) await once(claimant.stdout, 'data');
  };
  const letGo = async (): Promise<void> => {
    if (claimant.exitCode !== null) return;
    const gone = once(claimant, 'exit');
    claimant.stdin?.end();
    await gone;
  };
  const mount = async (): Promise<void> =>
    root.filesystems.mount(
      await loop.device(),
      root.at('db'),
      { fs: 'ext4', options: [], readOnly: false },
      never,
    );

  it('is known as that to whoever proves it blank, formats or mounts it, and not after it was let go', async () => {
    await claim();
    const device = await loop.device();
    const make = () => root.filesystems.make(device, { fs: 'ext4', options: [] }, never);
    await expect(root.filesystems.proveBlank(device, never)).rejects.toBeInstanceOf(DeviceHeldError);
    await expect(make()).rejects.toBeInstanceOf(DeviceHeldError);
    await letGo();
    await root.filesystems.proveBlank(device, never);
    await make();
    await claim();
    await expect(mount()).rejects.toBeInstanceOf(DeviceHeldError);
    const look = () => inspectLabel({ runner: createRunner(), kernelRelease: release() }, device, never);
    await expect(look()).rejects.toBeInstanceOf(DeviceHeldError);
    await letGo();
    await expect(look()).resolves.toBeUndefined();
    await mount();
  });

  it('is known as that to whoever checks it, and is checked once it was let go', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    // An error was met while it was mounted.
    await sh('debugfs', '-w', '-R', 'set_super_value state 2', loop.node);
    await claim();
    const check = async (): Promise<void> => root.filesystems.check(await loop.device(), 'ext4', never);
    await expect(check()).rejects.toBeInstanceOf(DeviceHeldError);
    await letGo();
    await check();
    expect(await sh('dumpe2fs', '-h', loop.node)).toMatch(/^Filesystem state: +clean$/m);
  });

  it('is waited for', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    await claim();
    const device = await loop.device();
    let tries = 0;
    const deviceUsers = createDeviceUsers({ ownPid: process.pid });
    const host = { clock: systemClock, deviceUsers, log: silentLog, policy: POLICY };
    await patiently(
      host,
      { device, attempt: 'mounting volume "db"' },
      async () => {
        tries += 1;
        if (tries === 3) await letGo();
        await mount();
      },
      never,
    );
    expect(tries).toBe(3);
  });

  it('is told by the name of who has it, when that is for too long', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    await claim();
    const device = await loop.device();
    const deviceUsers = createDeviceUsers({ ownPid: process.pid });
    const host = { clock: systemClock, deviceUsers, log: silentLog, policy: { ...POLICY, heldWaitMs: 1 } };
    const waiting = patiently(host, { device, attempt: 'mounting volume "db"' }, mount, never);
    await expect(waiting).rejects.toThrow(
      `process ${claimant.pid ?? 0} "perl" has it open; nothing was lost. Keep multipathd`,
    );
  });
});
