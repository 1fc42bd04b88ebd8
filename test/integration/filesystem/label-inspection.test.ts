import { readdir } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { inspectLabel } from '../../../src/filesystem/label-inspection.ts';
import { createRunner } from '../../../src/host/run.ts';
import type { VolumeLabel } from '../../../src/volumes/options/label.ts';
import { isDeviceHeld } from '../../../src/filesystem/exclusive-open.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;
const label: VolumeLabel = {
  version: 1,
  name: '3f'.repeat(32),
  fs: 'ext4',
  mountOptions: [],
  subpath: '',
  iops: 0,
  bandwidthKiBps: 0,
  failover: 'default',
  requestedKiB: 8_388_608,
};
const looks = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('docker-volume-scaleio-look-'));

describe('a look at the label of what nobody has mounted', () => {
  it('reads it and leaves neither mount nor directory; undefined where there is none', async () => {
    const loop = await LoopDevice.create(64 * MIB);
    const root = await MountedRoot.create();
    try {
      const device = await loop.device();
      expect(
        await inspectLabel({ runner: createRunner(), kernelRelease: release() }, device, never),
      ).toBeUndefined();
      await sh('mkfs.ext4', '-q', loop.node);
      expect(
        await inspectLabel({ runner: createRunner(), kernelRelease: release() }, device, never),
      ).toBeUndefined();
      await root.filesystems.mount(device, root.at('a'), { fs: 'ext4', options: [], readOnly: false }, never);
      await root.filesystems.writeLabel(root.at('a'), label, never);
      await root.filesystems.unmount(root.at('a'), { lazy: false }, never);
      expect(
        await inspectLabel({ runner: createRunner(), kernelRelease: release() }, device, never),
      ).toMatchObject({ name: label.name });
      expect(await isDeviceHeld(device)).toBe(false);
      expect(await looks()).toEqual([]);
    } finally {
      await root.dispose();
      await loop.detach();
    }
  });
});
