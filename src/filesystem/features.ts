import type { FilesystemType } from '../volumes/volume.ts';

/**
 * Which features a kernel has to know before it mounts a file system, to read it (incompat) or to write it, too (roCompat). xfs may
 * have some only while its log is to be replayed (logIncompat).
 */
export type FeatureSet = 'incompat' | 'roCompat' | 'logIncompat';

export type FeatureBits = Readonly<Record<FeatureSet, number>>;

interface Feature {
  readonly set: FeatureSet;
  readonly bit: number;
  readonly name: string;
  /** First Linux with it, "5.10"; undefined: no mainline Linux has it. */
  readonly since: string | undefined;
}

const table = (set: FeatureSet, rows: readonly (readonly [number, string, string?])[]): Feature[] =>
  rows.map(([bit, name, since]) => ({ set, bit, name, since }));

/** Every Linux that runs this plugin has what is older. */
const ANY = '3.10';

/**
 * xfs: Linux fs/xfs/libxfs/xfs_format.h, ext4: fs/ext4/ext4.h, btrfs: include/uapi/linux/btrfs.h, and their histories. NEEDSREPAIR of
 * xfs is missing on purpose: it is no feature but damage.
 */
const FEATURES: Readonly<Record<FilesystemType, readonly Feature[]>> = {
  xfs: [
    ...table('roCompat', [
      [0x1, 'finobt', '3.16'],
      [0x2, 'rmapbt', '4.8'],
      [0x4, 'reflink', '4.9'],
      [0x8, 'inobtcount', '5.10'],
    ]),
    ...table('incompat', [
      [0x1, 'ftype', ANY],
      [0x2, 'sparse inodes', '4.2'],
      [0x4, 'meta_uuid', '4.3'],
      [0x8, 'bigtime', '5.10'],
      [0x20, 'nrext64', '5.19'],
      [0x40, 'exchange', '6.10'],
      [0x80, 'parent', '6.10'],
      [0x100, 'metadir', '6.13'],
      [0x200, 'zoned', '6.15'],
      [0x400, 'zone gaps', '6.15'],
    ]),
    ...table('logIncompat', [[0x1, 'logged attributes', '5.19']]),
  ],
  ext4: [
    ...table('roCompat', [
      [0x1, 'sparse_super', ANY],
      [0x2, 'large_file', ANY],
      [0x4, 'btree_dir', ANY],
      [0x8, 'huge_file', ANY],
      [0x10, 'uninit_bg', ANY],
      [0x20, 'dir_nlink', ANY],
      [0x40, 'extra_isize', ANY],
      [0x100, 'quota', ANY],
      [0x200, 'bigalloc', ANY],
      [0x400, 'metadata_csum', ANY],
      [0x1000, 'read-only', '3.19'],
      [0x2000, 'project', '4.5'],
      [0x4000, 'shared_blocks'],
      [0x8000, 'verity', '5.4'],
      [0x10000, 'orphan_present', '5.15'],
    ]),
    ...table('incompat', [
      [0x1, 'compression'],
      [0x2, 'filetype', ANY],
      [0x4, 'needs_recovery', ANY],
      [0x8, 'journal_dev', ANY],
      [0x10, 'meta_bg', ANY],
      [0x40, 'extent', ANY],
      [0x80, '64bit', ANY],
      [0x100, 'mmp', ANY],
      [0x200, 'flex_bg', ANY],
      [0x400, 'ea_inode', '4.13'],
      [0x1000, 'dirdata'],
      [0x2000, 'metadata_csum_seed', '4.4'],
      [0x4000, 'large_dir', '4.13'],
      [0x8000, 'inline_data', ANY],
      [0x10000, 'encrypt', '4.1'],
      [0x20000, 'casefold', '5.2'],
    ]),
  ],
  btrfs: [
    ...table('roCompat', [
      [0x1, 'free-space-tree', '4.5'],
      [0x2, 'valid free-space-tree', '4.9'],
      [0x4, 'verity', '5.15'],
      [0x8, 'block-group-tree', '6.1'],
    ]),
    ...table('incompat', [
      [0x1, 'mixed-backref', ANY],
      [0x2, 'default-subvol', ANY],
      [0x4, 'mixed-bg', ANY],
      [0x8, 'compress-lzo', ANY],
      [0x10, 'compress-zstd', '4.14'],
      [0x20, 'big-metadata', ANY],
      [0x40, 'extref', ANY],
      [0x80, 'raid56', ANY],
      [0x100, 'skinny-metadata', ANY],
      [0x200, 'no-holes', '3.14'],
      [0x400, 'metadata-uuid', '5.0'],
      [0x800, 'raid1c34', '5.5'],
      [0x1000, 'zoned', '5.12'],
      [0x4000, 'raid-stripe-tree', '6.7'],
      [0x10000, 'squota', '6.7'],
    ]),
  ],
};

const SETS: Readonly<Record<FeatureSet, string>> = {
  incompat: 'incompat',
  roCompat: 'ro_compat',
  logIncompat: 'log_incompat',
};

/** What a kernel lacks, as people read it, and the Linux that has all of it, where one is known to. */
export interface Lacking {
  readonly features: readonly string[];
  readonly needs: string | undefined;
}

/**
 * Which of the features a kernel of this release ("5.15.0-91-generic") lacks by its version. A distribution may have brought a feature
 * to an older kernel, so this says why a mount was refused, never whether one will be. Undefined when it lacks none.
 */
export function lackingFeatures(fs: FilesystemType, bits: FeatureBits, release: string): Lacking | undefined {
  const features: string[] = [];
  let needs: string | undefined = ANY;
  for (const set of ['incompat', 'roCompat', 'logIncompat'] as const) {
    for (const { bit, name, since } of presentIn(fs, set, bits[set])) {
      if (since !== undefined && !isOlder(release, since)) continue;
      const when = since === undefined ? 'in no Linux that this plugin knows of' : `since Linux ${since}`;
      features.push(`${name} (${SETS[set]} 0x${bit.toString(16)}, ${when})`);
      if (needs !== undefined) needs = since === undefined || isOlder(needs, since) ? since : needs;
    }
  }
  return features.length === 0 ? undefined : { features, needs };
}

function presentIn(fs: FilesystemType, set: FeatureSet, bits: number): Feature[] {
  const places = Array.from({ length: 32 }, (_, place) => 2 ** place);
  return places
    .filter((bit) => (bits & bit) !== 0)
    .map(
      (bit) =>
        FEATURES[fs].find((known) => known.set === set && known.bit === bit) ?? {
          set,
          bit,
          name: 'a feature without a name here',
          since: undefined,
        },
    );
}

/** Of two releases that begin with major.minor; one that does not begin so is older than none. */
function isOlder(release: string, than: string): boolean {
  const [major, minor] = numbersOf(release);
  const [thanMajor, thanMinor] = numbersOf(than);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

function numbersOf(release: string): readonly [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return major === undefined || minor === undefined ? [Infinity, 0] : [Number(major), Number(minor)];
}
