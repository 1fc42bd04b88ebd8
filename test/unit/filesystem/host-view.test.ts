import { describe, expect, it } from 'vitest';
import { UnseenMountError } from '../../../src/errors.ts';
import { assertHostSees } from '../../../src/filesystem/host-view.ts';
import { GUARD_SOURCE, MountRoot } from '../../../src/filesystem/mount-root.ts';
import { parseMountinfo } from '../../../src/filesystem/mountinfo.ts';
import { silentLog } from '../sdc/silent-log.ts';
import type { Runner } from '../../../src/host/run.ts';

const untouched: Runner = { run: (program) => Promise.reject(new Error(`unexpected run of ${program}`)) };
const root = new MountRoot({
  path: '/mnt/volumes',
  runner: untouched,
  log: silentLog,
  mountinfo: '/nonexistent',
  hostMountinfo: '/nonexistent',
});
const device = { path: '/dev/disk/by-id/emc-vol-1-2', node: '/dev/scinia', number: '252:0', sizeBytes: 1 };
const at = { device, mountpoint: '/mnt/volumes/db' };
const propagated = '/var/lib/docker/plugins/abc/propagated-mount';

const mount = (ids: string, device: string, mountpoint: string, source = '/dev/scinia') =>
  `${ids} ${device} / ${mountpoint} rw - ${source === GUARD_SOURCE ? 'tmpfs' : 'ext4'} ${source} rw`;
const own = [
  mount('1 0', '8:1', '/'),
  mount('2 1', '8:1', '/mnt'),
  mount('3 2', '0:50', '/mnt/volumes', GUARD_SOURCE),
  mount('4 3', '252:0', '/mnt/volumes/db'),
];
const host = [
  mount('101 0', '8:1', '/'),
  mount('102 101', '8:1', propagated),
  mount('103 102', '0:50', `${propagated}/volumes`, GUARD_SOURCE),
];
const sees = (hostLines: string[], ownLines = own) => {
  assertHostSees(
    root,
    { own: parseMountinfo(ownLines.join('\n')), host: parseMountinfo(hostLines.join('\n')) },
    at,
  );
};

describe('assertHostSees', () => {
  it('finds the mount under the host path of the same mount root', () => {
    sees([...host, mount('104 103', '252:0', `${propagated}/volumes/db`)]);
  });

  it.each<[string, string[]]>([
    ['nothing is mounted there', host],
    ['the whole root is missing', host.slice(0, 2)],
    ['another device is there', [...host, mount('104 103', '252:16', `${propagated}/volumes/db`)]],
    ['the device is elsewhere', [...host, mount('104 103', '252:0', `${propagated}/volumes/other`)]],
    ['the device is there, in another mount root', [...host, mount('104 101', '252:0', '/other/volumes/db')]],
    [
      'the mount is covered',
      [
        ...host,
        mount('104 103', '252:0', `${propagated}/volumes/db`),
        mount('105 102', '0:60', `${propagated}/volumes`, GUARD_SOURCE),
        mount('106 101', '0:61', '/var/lib/docker', 'tmpfs'),
      ],
    ],
  ])('refuses when %s', (_, hostLines) => {
    expect(() => {
      sees(hostLines);
    }).toThrow('the host does not see "/mnt/volumes/db"');
  });

  describe('in a plugin that an engine runs', () => {
    const id = 'ab'.repeat(32);
    const managed = own.with(
      1,
      `2 1 8:1 /var/lib/docker/plugins/${id}/propagated-mount /mnt rw - ext4 /dev/sda rw`,
    );
    const isCutOff = (hostLines: string[], ownLines: string[]): boolean => {
      try {
        sees(hostLines, ownLines);
      } catch (error) {
        if (error instanceof UnseenMountError) return error.isCutOff;
        throw error;
      }
      throw new Error('it is seen');
    };

    it('is cut off where the host has its root of mounts nowhere', () => {
      expect(isCutOff(host.slice(0, 2), managed)).toBe(true);
    });

    it('is not where the host has it, nor is a service of the host ever', () => {
      expect(isCutOff(host, managed)).toBe(false);
      expect(isCutOff(host.slice(0, 2), own)).toBe(false);
    });
  });

  it('refuses when it is not even mounted here', () => {
    const everywhere = [...host, mount('104 103', '252:0', `${propagated}/volumes/db`)];
    expect(() => {
      sees(everywhere, own.slice(0, 3));
    }).toThrow('"/mnt/volumes/db" is not a mount of "/dev/disk/by-id/emc-vol-1-2"');
  });
});
