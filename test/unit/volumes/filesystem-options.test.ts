import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { parseMkfsOptions, parseMountOptions } from '../../../src/volumes/options/filesystem-options.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';

const filesystems: readonly FilesystemType[] = ['ext4', 'xfs', 'btrfs'];

describe('parseMkfsOptions', () => {
  it.each<[FilesystemType, string, string[]]>([
    ['ext4', '', []],
    ['ext4', '  -m   1  -O ^has_journal,quota ', ['-m', '1', '-O', '^has_journal,quota']],
    ['ext4', '-m0 -b4096', ['-m', '0', '-b', '4096']],
    ['ext4', '-E stride=16,stripe-width=64,nodiscard', ['-E', 'stride=16,stripe-width=64,nodiscard']],
    [
      'ext4',
      '-J size=128 -i 65536 -I 256 -T largefile',
      ['-J', 'size=128', '-i', '65536', '-I', '256', '-T', 'largefile'],
    ],
    ['xfs', '-K -d su=64k,sw=4', ['-K', '-d', 'su=64k,sw=4']],
    [
      'xfs',
      '-b size=4k -m reflink=0,crc=1 -i size=1024',
      ['-b', 'size=4k', '-m', 'reflink=0,crc=1', '-i', 'size=1024'],
    ],
    ['xfs', '-l size=128m -n ftype=1', ['-l', 'size=128m', '-n', 'ftype=1']],
    ['btrfs', '-m dup -d single -n 16k', ['-m', 'dup', '-d', 'single', '-n', '16k']],
    ['btrfs', '-O ^no-holes,extref -R quota', ['-O', '^no-holes,extref', '-R', 'quota']],
  ])('for %s reads %j', (fs, text, args) => {
    expect(parseMkfsOptions(fs, text)).toEqual(args);
  });

  it.each<[FilesystemType, string, string]>([
    ['ext4', '-n', '"-n" is not an allowed mkfs option of ext4; allowed are -b -E'],
    ['ext4', '-F', '"-F" is not an allowed'],
    ['ext4', '-L root', '"-L" is not an allowed'],
    ['ext4', '-U random', '"-U" is not an allowed'],
    ['ext4', '-d /etc', '"-d" is not an allowed'],
    ['ext4', '-z /tmp/undo', '"-z" is not an allowed'],
    ['ext4', '-J device=/dev/sda', '"device=/dev/sda" is not an allowed mkfs option "-J" of ext4'],
    ['ext4', '-J size=64,device=/dev/sda', 'is not an allowed'],
    ['ext4', '-O journal_dev', '"journal_dev" is not an allowed'],
    ['ext4', '-O none', '"none" is not an allowed'],
    ['ext4', '-O ^^quota', 'is not an allowed'],
    ['ext4', '-O ^quotta', 'did you mean "quota"?'],
    ['ext4', '-E offset=1048576', 'is not an allowed'],
    ['ext4', '-E root_owner=1:1', 'is not an allowed'],
    ['ext4', '-m 60', '"60" is not allowed as value of'],
    ['ext4', '-m', '"-m" needs a value'],
    ['ext4', '-m -K', '"-K" is not allowed as value of'],
    ['ext4', '-m 1 -m 2', 'given twice'],
    ['ext4', '-- /dev/sda', '"--" is not an allowed'],
    ['ext4', '/dev/sda', '"/dev/sda" is not an allowed'],
    ['ext4', '-m 1 /dev/sda', '"/dev/sda" is not an allowed'],
    ['ext4', '-m 1;reboot', '"1;reboot" is not allowed as value of'],
    ['ext4', '-m $(reboot)', '"$(reboot)" is not allowed as value of'],
    ['ext4', '-m "1"', 'is not allowed'],
    ['ext4', '-m 1\0', 'is not allowed'],
    ['xfs', '-N', '"-N" is not an allowed'],
    ['xfs', '-n', '"-n" needs a value'],
    ['xfs', '-l logdev=/dev/sda', '"logdev=/dev/sda" is not an allowed'],
    ['xfs', '-l internal', 'is not an allowed'],
    ['xfs', '-r rtdev=/dev/sda', '"-r" is not an allowed'],
    ['xfs', '-d name=/etc/passwd', '"name=/etc/passwd" is not an allowed'],
    ['xfs', '-d file,size=1g', '"file" is not an allowed'],
    ['xfs', '-d size=1g', '"size=1g" is not an allowed'],
    ['xfs', '-d agcount', 'needs a value'],
    ['xfs', '-d agcount=', 'has a value that is not allowed'],
    ['xfs', '-d noalign=1', 'has a value that is not allowed'],
    ['xfs', '-d su=64k,', '"" is not an allowed'],
    ['xfs', '-d toString=1', 'is not an allowed'],
    ['xfs', '-c options=/etc/passwd', '"-c" is not an allowed'],
    ['xfs', '-p /proto', '"-p" is not an allowed'],
    ['xfs', '-Kf', '"-Kf" is not an allowed'],
    ['xfs', '-K1', '"-K1" is not an allowed'],
    ['xfs', '-m uuid=00000000-0000-0000-0000-000000000000', 'is not an allowed'],
    ['btrfs', '-r /etc', '"-r" is not an allowed'],
    ['btrfs', '--rootdir /etc', '"--rootdir" is not an allowed'],
    ['btrfs', '-m raid1', '"raid1" is not allowed as value of'],
    ['btrfs', '-d single,dup', 'is not allowed'],
    ['ext4', `-O ${'quota,'.repeat(200)}`, 'characters long; 512 are allowed'],
  ])('for %s refuses %j', (fs, text, why) => {
    expect(() => parseMkfsOptions(fs, text)).toThrow(InvalidRequestError);
    expect(() => parseMkfsOptions(fs, text)).toThrow(why);
  });

  it('hands on nothing that could be a path, a second command or another flag', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-m',
        '-O',
        '-d',
        '-b',
        '-K',
        '-E',
        '1',
        '^quota',
        'su=64k',
        'size=4096',
        '--',
        '/dev/sda',
        '-n',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...filesystems), fc.array(word, { maxLength: 6 }), (fs, words) => {
        try {
          for (const arg of parseMkfsOptions(fs, words.join(' '))) {
            expect(arg).toMatch(/^-[A-Za-z]$|^[\^a-zA-Z0-9_.,=:-]*$/);
            expect(arg).not.toMatch(/^--|[/\s]/);
          }
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
        }
      }),
    );
  });
});

describe('parseMountOptions', () => {
  it.each<[FilesystemType, string, string[]]>([
    ['xfs', '', []],
    ['xfs', 'noatime,logbsize=256k', ['noatime', 'logbsize=256k']],
    ['xfs', ' noatime  nodev, nosuid ,,', ['noatime', 'nodev', 'nosuid']],
    ['xfs', 'defaults,rw,noatime,noatime', ['noatime']],
    ['ext4', 'data=journal,commit=30,barrier,discard', ['data=journal', 'commit=30', 'barrier', 'discard']],
    ['ext4', 'errors=remount-ro', ['errors=remount-ro']],
    ['btrfs', 'compress=zstd:3,ssd,autodefrag', ['compress=zstd:3', 'ssd', 'autodefrag']],
    ['btrfs', 'compress discard=async', ['compress', 'discard=async']],
  ])('for %s reads %j', (fs, text, options) => {
    expect(parseMountOptions(fs, text)).toEqual(options);
  });

  it.each<[FilesystemType, string, string]>([
    ['xfs', 'loop', '"loop" is not an allowed mount option of xfs'],
    ['xfs', 'bind', 'is not an allowed'],
    ['xfs', 'remount', 'is not an allowed'],
    ['xfs', 'ro', 'use the option readonly'],
    ['xfs', 'suid', '"suid" is not an allowed'],
    ['xfs', 'dev', 'is not an allowed'],
    ['xfs', 'uid=0', 'use the option uid'],
    ['xfs', 'logdev=/dev/sda', 'is not an allowed'],
    ['xfs', 'rtdev=/dev/sda', 'is not an allowed'],
    ['xfs', 'norecovery', 'half-written'],
    ['xfs', 'logbufs=9', 'has a value that is not allowed'],
    ['xfs', 'logbufs', 'needs a value'],
    ['xfs', 'noatime=1', 'has a value that is not allowed'],
    ['xfs', 'noatim', 'did you mean "noatime"?'],
    ['xfs', 'commit=5', 'is not an allowed'],
    ['ext4', 'commit=5;reboot', 'has a value that is not allowed'],
    ['ext4', 'barrier=0', 'has a value that is not allowed'],
    ['ext4', 'nobarrier', 'loses data when a host fails'],
    ['ext4', 'journal_path=/dev/sda', 'is not an allowed'],
    ['ext4', 'errors=panic', 'has a value that is not allowed'],
    ['ext4', 'context=system_u:object_r:x', 'is not an allowed'],
    ['ext4', 'x-systemd.automount', 'is not an allowed'],
    ['ext4', '-o noatime', '"-o" is not an allowed'],
    ['ext4', '--bind', 'is not an allowed'],
    ['ext4', 'data=ordered,data=journal', '"data" is given twice'],
    ['ext4', '__proto__', 'is not an allowed'],
    ['btrfs', 'device=/dev/sda', 'is not an allowed'],
    ['btrfs', 'subvol=../x', 'use the option subpath'],
    ['btrfs', 'compress=rot13', 'has a value that is not allowed'],
    ['btrfs', 'degraded', 'is not an allowed'],
    ['xfs', 'noatime,'.repeat(100), 'characters long'],
  ])('for %s refuses %j', (fs, text, why) => {
    expect(() => parseMountOptions(fs, text)).toThrow(InvalidRequestError);
    expect(() => parseMountOptions(fs, text)).toThrow(why);
  });

  it('reads again what it gave, and gives nothing with a path or a blank in it', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'noatime',
        'commit=5',
        'compress=zstd',
        'logbufs=4',
        'discard',
        'nodev',
        'loop',
        'data=ordered',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...filesystems), fc.array(word, { maxLength: 6 }), (fs, words) => {
        try {
          const options = parseMountOptions(fs, words.join(','));
          expect(parseMountOptions(fs, options.join(','))).toEqual(options);
          for (const option of options) expect(option).toMatch(/^[a-z0-9_-]+(=[a-z0-9:-]+)?$/i);
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
        }
      }),
    );
  });
});
