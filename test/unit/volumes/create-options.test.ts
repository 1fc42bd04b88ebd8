import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';

const GIB_KIB = 1024 ** 2;
const parse = (raw: Record<string, string>, defaults = BUILT_IN_DEFAULTS) =>
  parseCreateOptions('db' as VolumeName, raw, { defaults, classes: new Map() });
const options = (raw: Record<string, string>) => parse(raw).options;

describe('parseCreateOptions', () => {
  it('uses the defaults and says that nothing was asked for', () => {
    const { options: made, warnings } = parse({});
    expect(made).toEqual({
      ...BUILT_IN_DEFAULTS,
      pool: undefined,
      domain: undefined,
      iops: 0,
      bandwidthKiBps: 0,
      readOnly: false,
      subpath: '',
      failover: 'default',
      explicit: new Set(),
      ofClass: new Set(),
    });
    expect(made).toMatchObject({ sizeKiB: 16 * GIB_KIB, fs: 'xfs', provisioning: 'thin' });
    expect(warnings).toEqual([]);
  });

  it('reads every option, and knows which were given', () => {
    const made = options({
      size: '64GiB',
      pool: 'ssd',
      domain: 'domain1',
      provisioning: 'thick',
      fs: 'ext4',
      mkfs: '-m 1 -O ^has_journal',
      mount: 'noatime,commit=30',
      uid: '999',
      gid: '0',
      mode: '0750',
      iops: '500',
      bandwidth: '100MiB',
      readonly: 'true',
      subpath: 'data/main',
      failover: 'idle',
      'grow-above': '0',
      'grow-by': '10%',
      'grow-max': '1TiB',
      from: 'web',
      'snapshot-policy': 'daily',
    });
    expect(made).toEqual({
      sizeKiB: 64 * GIB_KIB,
      pool: 'ssd',
      domain: 'domain1',
      provisioning: 'thick',
      fs: 'ext4',
      mkfsOptions: ['-m', '1', '-O', '^has_journal'],
      mountOptions: ['noatime', 'commit=30'],
      uid: 999,
      gid: 0,
      mode: 0o750,
      iops: 500,
      bandwidthKiBps: 100 * 1024,
      readOnly: true,
      subpath: 'data/main',
      failover: 'idle',
      growAbovePercent: 0,
      growBy: { percent: 10 },
      growMaxKiB: 1024 * GIB_KIB,
      from: 'web',
      snapshotPolicy: 'daily',
      explicit: new Set(
        Object.keys(made).filter((key) => !['explicit', 'ofClass', 'className'].includes(key)),
      ),
      ofClass: new Set(),
    });
  });

  it.each([
    [{ type: 'ssd' }, { pool: 'ssd' }],
    [{ volumeType: 'ssd' }, { pool: 'ssd' }],
    [{ SIZE: '8' }, { sizeKiB: 8 * GIB_KIB }],
    [{ newFsType: 'EXT4' }, { fs: 'ext4' }],
    [{ fsType: 'btrfs' }, { fs: 'btrfs' }],
    [{ provisioning: 'ThickProvisioned' }, { provisioning: 'thick' }],
    [{ thinOrThick: 'ThinProvisioned' }, { provisioning: 'thin' }],
    [{ overwriteFs: 'false' }, { fs: 'xfs' }],
    [{ fs: 'xfs', fstype: 'xfs' }, { fs: 'xfs' }],
    [{ readonly: '' }, { readOnly: true }],
    [{ readonly: 'No' }, { readOnly: false }],
    [{ bandwidth: '0' }, { bandwidthKiBps: 0 }],
    [{ bandwidth: '100MiB/s' }, { bandwidthKiBps: 102_400 }],
    [{ bandwidth: '1 GiBps' }, { bandwidthKiBps: 1024 ** 2 }],
    [{ iops: '0' }, { iops: 0 }],
    [{ iops: '11' }, { iops: 11 }],
    [{ mode: '2775' }, { mode: 0o2775 }],
    [{ subpath: '' }, { subpath: '' }],
    [{ subpath: '/data//main/' }, { subpath: 'data/main' }],
    [{ size: '1025b' }, { sizeKiB: 2 }],
    [{ failover: 'Default' }, { failover: 'default' }],
    [
      { 'grow-above': '85%', 'grow-max': '1TiB' },
      { growAbovePercent: 85, growBy: { percent: 20 } },
    ],
    [{ 'grow-above': '50', 'grow-max': '16GiB' }, { growAbovePercent: 50 }],
    [{ 'grow-by': '100GiB' }, { growBy: { kiB: 100 * GIB_KIB } }],
  ])('takes %j', (raw, expected) => {
    expect(options(raw as unknown as Record<string, string>)).toMatchObject(expected);
  });

  it.each([
    [{ sise: '1' }, 'unknown option "sise", did you mean "size"? (valid: size pool domain'],
    [{ 'grow-above': '85%' }, 'grow-above takes grow-max'],
    [{ 'grow-above': '85%', 'grow-max': '8GiB' }, 'grow-max 8 GiB is less than its size, 16 GiB'],
    [{ 'grow-above': '85%', 'grow-max': '1TiB', readonly: 'true' }, 'for volumes that can be written'],
    [{ 'grow-above': '49%' }, 'is not a level from 50% to 99%'],
    [{ 'grow-above': '100%' }, 'is not a level from 50% to 99%'],
    [{ 'grow-above': '8.5%' }, 'is not a level from 50% to 99%'],
    [{ 'grow-by': '0%' }, 'is not a part from 1% to 100%'],
    [{ 'grow-by': '101%' }, 'is not a part from 1% to 100%'],
    [{ colour: 'red' }, 'unknown option "colour" (valid: size'],
    [{ __proto__x: '1' }, 'unknown option'],
    [{ constructor: '1' }, 'unknown option "constructor"'],
    [{ '': '1' }, 'unknown option ""'],
    [{ snapshotName: 's' }, 'a copy of a snapshot is made with from=VOLUME@SNAPSHOT'],
    [{ snapshotID: 's' }, 'a copy of a snapshot is made with from=VOLUME@SNAPSHOT'],
    [{ volumename: 's' }, 'a copy of a volume is made with from=VOLUME'],
    [{ VolumeID: 's' }, 'a copy of a volume is made with from=VOLUME'],
    [{ overwriteFs: 'true' }, 'never formatted'],
    [{ fs: 'xfs', fsType: 'ext4' }, 'option "fs" is given twice'],
    [{ size: '1', Size: '2' }, 'option "size" is given twice'],
    [{ size: '0' }, 'size "0" is not more than zero'],
    [{ size: '-5' }, 'size "-5" is not more than zero'],
    [{ size: '2PiB' }, 'more than the largest'],
    [{ size: 'big' }, 'size "big" is not a number'],
    [{ size: '' }, 'size "" is not a number'],
    [{ pool: '' }, 'pool "" is not a name'],
    [{ pool: 'a b' }, 'pool "a b" is not a name'],
    [{ domain: 'x'.repeat(32) }, 'is not a name of 1 to 31'],
    [{ provisioning: 'fat' }, 'provisioning "fat" is not one of thin, thick'],
    [{ fs: 'ntfs' }, 'fs "ntfs" is not one of ext4, xfs, btrfs'],
    [{ uid: 'postgres' }, 'uid "postgres" is not a numeric id'],
    [{ uid: '-1' }, 'is not a numeric id'],
    [{ gid: '4294967295' }, 'gid "4294967295" is not a numeric id'],
    [{ mode: '0999' }, 'mode "0999" is not an octal'],
    [{ mode: 'rwx' }, 'is not an octal'],
    [{ mode: '77777' }, 'is not an octal'],
    [{ iops: '10' }, 'iops "10" is not 0 (no limit) or a number of at least 11'],
    [{ iops: '-1' }, 'iops "-1"'],
    [{ iops: '1e3' }, 'iops "1e3"'],
    [{ iops: '9999999999' }, 'iops "9999999999"'],
    [{ bandwidth: '100' }, 'has no unit'],
    [{ bandwidth: '1.5MiB' }, 'whole MiB per second'],
    [{ bandwidth: '512KiB' }, 'whole MiB per second'],
    [{ bandwidth: '2TiB' }, 'at most 1 TiB'],
    [{ readonly: 'maybe' }, 'readonly "maybe" is neither true nor false'],
    [{ subpath: '../x' }, "is not a path below the volume's root"],
    [{ subpath: 'a/../b' }, "is not a path below the volume's root"],
    [{ subpath: './a' }, "is not a path below the volume's root"],
    [{ subpath: 'a\0b' }, "is not a path below the volume's root"],
    [{ subpath: 'a\nb' }, "is not a path below the volume's root"],
    [{ subpath: 'ä'.repeat(128) }, "is not a path below the volume's root"],
    [
      { failover: 'sometimes' },
      'failover "sometimes" is not one of never, disconnected, idle, always, default',
    ],
    [{ mkfs: '-n' }, 'mkfs "-n" needs a value for xfs'],
    [{ fs: 'ext4', mount: 'inode64' }, '"inode64" is not an allowed mount option of ext4'],
  ])('refuses %j', (raw, why) => {
    expect(() => parse(raw as unknown as Record<string, string>)).toThrow(InvalidRequestError);
    expect(() => parse(raw as unknown as Record<string, string>)).toThrow(why);
  });

  it('refuses an option that objects know by themselves', () => {
    const raw = JSON.parse('{"__proto__":"1"}') as Record<string, string>;
    expect(() => parse(raw)).toThrow('unknown option "__proto__"');
  });

  it('judges mkfs and mount options by no file system that is itself a mistake', () => {
    expect(() => parse({ fs: 'ntfs', mkfs: '-m 1', mount: 'inode64' })).toThrow(
      /failed: fs "ntfs" is not[^;]*$/,
    );
  });

  it('lists what is wrong, all together but not without end', () => {
    expect(() => parse({ sise: '1', uid: 'x', fs: 'ntfs' })).toThrow(/"sise".*; fs "ntfs".*; uid "x"/);
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`option${index}`, '1']));
    expect(() => parse(many)).toThrow(/; and 997 more faults$/);
  });

  it('warns about what REX-Ray took and did nothing with', () => {
    expect(parse({ availabilityZone: 'z', encrypted: 'true' }).warnings).toEqual([
      'option "availabilityZone" is ignored, as REX-Ray did; choose a protection domain with domain',
      'option "encrypted" is ignored, as REX-Ray did: this plugin does not encrypt the data',
    ]);
    expect(parse({ type: 'ssd', iops: '500' }).warnings).toEqual([expect.stringContaining('"iops" limits')]);
    expect(parse({ iops: '500' }).warnings).toEqual([expect.stringContaining('REX-Ray ignored it')]);
    expect(parse({ size: '16', iops: '500' }).warnings).toHaveLength(1);
    expect(parse({ pool: 'ssd', iops: '500' }).warnings).toEqual([]);
  });

  it("keeps the operator's mkfs and mount options to the operator's file system", () => {
    const defaults = { ...BUILT_IN_DEFAULTS, mkfsOptions: ['-K'], mountOptions: ['inode64'], mode: 0o700 };
    expect(parse({}, defaults).options).toMatchObject({
      mkfsOptions: ['-K'],
      mountOptions: ['inode64'],
      mode: 0o700,
    });
    expect(parse({ mount: 'noatime' }, defaults).options.mountOptions).toEqual(['noatime']);
    expect(parse({ fs: 'ext4' }, defaults).options).toMatchObject({ mkfsOptions: [], mountOptions: [] });
  });

  it('answers anything with checked options or one readable line', () => {
    const names = ['size', 'fs', 'mkfs', 'mount', 'uid', 'mode', 'iops', 'bandwidth', 'subpath', 'readonly'];
    const name = fc.oneof(fc.constantFrom(...names, 'Type', 'encrypted'), fc.string({ unit: 'binary' }));
    const value = fc.oneof(
      fc.constantFrom('8GiB', 'xfs', '-m 1', 'noatime', '0', '100MiB'),
      fc.string({ unit: 'binary', maxLength: 600 }),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 6 }), (raw) => {
        try {
          const made = options(raw);
          expect(Number.isSafeInteger(made.sizeKiB)).toBe(true);
          expect(made.bandwidthKiBps % 1024).toBe(0);
          expect(made.subpath.split('/')).not.toContain('..');
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
          expect(error.message).not.toMatch(/[\n\r\0]/);
          expect(error.message.length).toBeLessThan(800);
        }
      }),
    );
  });
});
