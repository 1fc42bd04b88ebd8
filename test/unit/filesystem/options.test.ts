import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeArguments } from '../../../src/filesystem/make.ts';
import { mountOptions } from '../../../src/filesystem/mount.ts';
import { parseTags } from '../../../src/filesystem/probe.ts';
import { MountRoot } from '../../../src/filesystem/mount-root.ts';
import { silentLog } from '../sdc/silent-log.ts';
import type { Runner } from '../../../src/host/run.ts';
import type { ArrayName } from '../../../src/array/ids.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';

const filesystems: FilesystemType[] = ['ext4', 'xfs', 'btrfs'];
const untouched: Runner = { run: (program) => Promise.reject(new Error(`unexpected run of ${program}`)) };

describe('makeArguments', () => {
  it.each(filesystems)('never forces and never discards: %s', (fs) => {
    const args = makeArguments({ fs, options: [] });
    expect(args.join(' ')).toMatch(/nodiscard|-K/);
    expect(args).not.toContain('-f');
    expect(args).not.toContain('-F');
  });

  it('keeps our -E of mke2fs beside those of the user, whose values come last', () => {
    expect(
      makeArguments({ fs: 'ext4', options: ['-m', '0', '-E', 'stride=16', '-Elazy_itable_init=0'] }),
    ).toEqual([
      '-q',
      '-m',
      '0',
      '-E',
      'nodiscard,lazy_itable_init=1,lazy_journal_init=1,stride=16,lazy_itable_init=0',
    ]);
  });

  it('passes the options of the others as they are, after ours', () => {
    expect(makeArguments({ fs: 'xfs', options: ['-i', 'size=512'] })).toEqual(['-q', '-K', '-i', 'size=512']);
  });
});

describe('mountOptions', () => {
  it.each(filesystems)('puts the options of the user after the defaults: %s', (fs) => {
    const options = mountOptions({ fs, options: ['discard', 'nosuid'], readOnly: false }).split(',');
    expect(options).toEqual(expect.arrayContaining(['noatime', 'nodev', 'nosuid']));
    expect(options.indexOf('discard')).toBeGreaterThan(options.indexOf('nodiscard'));
  });

  it.each(filesystems)('does not replay what is mounted read-only, whatever the user says: %s', (fs) => {
    const options = mountOptions({ fs, options: ['rw'], readOnly: true }).split(',');
    expect(options.lastIndexOf('ro')).toBeGreaterThan(options.indexOf('rw'));
    expect(options.at(-1)).toMatch(/noload|norecovery|nologreplay/);
  });

  it('lets a choice of access times replace ours', () => {
    expect(mountOptions({ fs: 'xfs', options: ['relatime'], readOnly: false })).not.toContain('noatime');
  });
});

describe('parseTags', () => {
  it('reads KEY=value lines, values with = in them, and nothing else', () => {
    expect([...parseTags('DEVNAME=/dev/x\nLABEL=a=b\n\nnoise\n=x\n')]).toEqual([
      ['DEVNAME', '/dev/x'],
      ['LABEL', 'a=b'],
    ]);
  });
});

describe('mountpointOf', () => {
  const root = new MountRoot({
    path: '/mnt/volumes',
    runner: untouched,
    log: silentLog,
    mountinfo: '/nonexistent',
    hostMountinfo: '/nonexistent',
  });
  const of = (name: string) => root.mountpointOf(name as ArrayName);

  it('is the name itself where that is safe', () => {
    expect(of('docker-db_1.x~0a')).toBe('/mnt/volumes/docker-db_1.x~0a');
  });

  it.each(['.', '..', '...', 'a/b', '/', '%2e', "it's", 'a b\n', 'ü'])('is a single step for %j', (name) => {
    expect(of(name)).toMatch(/^\/mnt\/volumes\/[A-Za-z0-9%._~-]+$/);
    expect(of(name)).not.toMatch(/\/\.+$/);
  });

  it('is a different one for each name', () => {
    const name = fc.string({ minLength: 1, maxLength: 31 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other);
        expect(of(one)).not.toBe(of(other));
      }),
    );
  });
});
