import { open } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Device } from '../../../src/attach/attacher.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { filesystemsCompliance } from '../../compliance/filesystems.ts';
import type { OpenFilesystemHost } from '../../compliance/filesystems/subject.ts';
import { hasCapability, LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

/** Growing a mounted ext4 takes CAP_SYS_RESOURCE, which a sandbox may withhold from root. */
const maySetResources = await hasCapability(24);
const SIZE = 320 * MIB;

async function openLoopHost(fs: FilesystemType): Promise<OpenFilesystemHost> {
  const loops = new Map<string, LoopDevice>();
  // What ends last is begun first.
  onTestFinished(async () => {
    for (const loop of loops.values()) await loop.detach();
  });
  const root = await MountedRoot.create();
  onTestFinished(() => root.dispose());
  const loopOf = (number: string): LoopDevice => {
    const loop = loops.get(number);
    if (loop === undefined) throw new Error(`no loop device of this test has number ${number}`);
    return loop;
  };
  const double = async ({ number }: Device): Promise<Device> => {
    const loop = loopOf(number);
    await loop.resize(2 * SIZE);
    return loop.device();
  };
  return {
    filesystems: root.filesystems,
    canGrow: fs !== 'ext4' || maySetResources,
    outside: {
      putForeign: async ({ node }) => {
        await sh('mkswap', node);
      },
      double,
      flush: async (mountpoint) => {
        await sh('sync', '--file-system', mountpoint);
      },
      copyOf: async ({ number }) => {
        const copy = await loopOf(number).copy();
        loops.set(copy.number, copy);
        return copy.device();
      },
      openFile: async (mountpoint) => {
        const file = await open(path.join(mountpoint, 'in-use'), 'w');
        onTestFinished(() => file.close());
        return () => file.close();
      },
      freeze,
    },
    blank: async () => {
      const loop = await LoopDevice.create(SIZE);
      loops.set(loop.number, loop);
      return loop.device();
    },
    gone: () => {
      const node = path.join(root.path, 'no-such-node');
      return Promise.resolve({ path: node, node, number: '7:1048575', sizeBytes: SIZE });
    },
  };
}

async function freeze(mountpoint: string): Promise<() => Promise<void>> {
  let isFrozen = true;
  const thaw = async (): Promise<void> => {
    if (isFrozen) await sh('fsfreeze', '-u', mountpoint);
    isFrozen = false;
  };
  await sh('fsfreeze', '-f', mountpoint);
  onTestFinished(thaw);
  return thaw;
}

filesystemsCompliance("this host's own over loop devices", openLoopHost);
