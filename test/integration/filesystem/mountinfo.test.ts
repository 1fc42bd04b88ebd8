import { mkdir, mkdtemp, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMountinfo } from '../../../src/filesystem/mountinfo.ts';
import { sh } from './loop-device.ts';

describe('mountinfo', () => {
  it('reads as findmnt does, with names that need escapes', async () => {
    const base = await realpath(await mkdtemp(path.join(tmpdir(), 'mountinfo-')));
    const names = [
      'with space',
      'tab\there',
      'new\nline',
      'back\\slash',
      '\\040',
      'hash#',
      'ümlaut',
      '-',
      ' - ',
    ];
    try {
      for (const name of names) {
        await mkdir(path.join(base, name));
        await sh('mount', '-t', 'tmpfs', '-o', 'size=4k', `source ${name}`, path.join(base, name));
      }
      const below = (target: string) => target.startsWith(base);
      const own = parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
      const oracle = JSON.parse(
        await sh('findmnt', '--kernel', '--json', '--list', '-o', 'ID,PARENT,TARGET,FSTYPE,MAJ:MIN,FSROOT'),
      ) as { filesystems: { id: number; parent: number; target: string }[] };
      expect(own.filter(({ mountpoint }) => below(mountpoint)).map((mount) => mount.mountpoint)).toEqual(
        names.map((name) => path.join(base, name)),
      );
      const expected = oracle.filesystems.filter(({ target }) => below(target));
      expect(
        own
          .filter(({ mountpoint }) => below(mountpoint))
          .map(({ id, parentId, mountpoint, fsType, device, root }) => ({
            id,
            parent: parentId,
            target: mountpoint,
            fstype: fsType,
            'maj:min': device,
            fsroot: root,
          })),
      ).toEqual(expected);
    } finally {
      for (const name of names) await sh('umount', path.join(base, name)).catch(() => undefined);
      await sh('rm', '-r', base);
    }
  });
});
