import type { FilesystemType } from '../volume.ts';

/*
 * What users may hand to mkfs and mount, and nothing else (rule 12). Left out on purpose: everything that names a file or
 * device (external journals, real-time devices, prototype and configuration files), everything that reads options from
 * elsewhere, labels and UUIDs that the host could mistake for its own disks, and what gives up data at a crash, since
 * a failover is one. From mkfs.ext4(8), mkfs.xfs(8), mkfs.btrfs(8), ext4(5), xfs(5), btrfs(5).
 */

/** How a key of a comma list may be written: alone, with a value, or both. */
interface KeyRule {
  readonly alone: boolean;
  readonly value: RegExp | undefined;
}
export type KeyRules = Readonly<Record<string, KeyRule>>;

/** What may follow a flag of mkfs. */
export type FlagRule =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'value'; readonly value: RegExp }
  | { readonly kind: 'keys'; readonly keys: KeyRules }
  /** Comma list of feature names, each with or without a leading ^ for "off". */
  | { readonly kind: 'features'; readonly names: readonly string[] };
export type FlagRules = Readonly<Record<string, FlagRule>>;

const NUMBER = /^\d{1,10}$/;
const AMOUNT = /^\d{1,10}[kmgKMG]?$/;
const SWITCH = /^[01]$/;

const value = (pattern: RegExp): FlagRule => ({ kind: 'value', value: pattern });
const keys = (rules: KeyRules): FlagRule => ({ kind: 'keys', keys: rules });
const features = (names: string): FlagRule => ({ kind: 'features', names: names.split(' ') });
const nothing: FlagRule = { kind: 'nothing' };

const withValue = (pattern: RegExp): KeyRule => ({ alone: false, value: pattern });
const maybeValue = (pattern: RegExp): KeyRule => ({ alone: true, value: pattern });
const alone = (names: string): KeyRules =>
  Object.fromEntries(names.split(' ').map((name) => [name, { alone: true, value: undefined }]));
const each = (names: string, pattern: RegExp): KeyRules =>
  Object.fromEntries(names.split(' ').map((name) => [name, withValue(pattern)]));

/** By file system, what mkfs takes. */
export const MKFS_FLAGS: Readonly<Record<FilesystemType, FlagRules>> = {
  ext4: {
    '-b': value(/^(1024|2048|4096)$/),
    '-E': keys({
      ...alone('discard nodiscard'),
      ...each('lazy_itable_init lazy_journal_init packed_meta_blocks', SWITCH),
      ...each('stride stripe_width stripe-width', NUMBER),
      num_backup_sb: withValue(/^[0-2]$/),
    }),
    '-G': value(NUMBER),
    '-i': value(/^\d{4,8}$/),
    '-I': value(/^(256|512|1024|2048|4096)$/),
    '-J': keys({ size: withValue(/^\d{1,5}$/) }),
    '-m': value(/^(\d|[1-4]\d)(\.\d{1,2})?$|^50$/),
    '-N': value(NUMBER),
    '-O': features(
      '64bit dir_index dir_nlink ea_inode extra_isize fast_commit flex_bg has_journal huge_file ' +
        'inline_data large_dir large_file meta_bg metadata_csum metadata_csum_seed mmp orphan_file project quota ' +
        'resize_inode sparse_super sparse_super2 uninit_bg verity',
    ),
    '-T': value(/^(default|small|big|huge|news|largefile|largefile4)$/),
  },
  xfs: {
    '-b': keys({ size: withValue(/^(1024|2048|4096|1k|2k|4k)$/) }),
    '-d': keys({
      ...alone('noalign'),
      ...each('agcount cowextsize extszinherit projinherit sunit sw swidth', NUMBER),
      ...each('agsize su', AMOUNT),
    }),
    '-i': keys({
      ...each('align nrext64 sparse', SWITCH),
      size: withValue(/^(512|1024|2048)$/),
      maxpct: withValue(/^(\d{1,2}|100)$/),
    }),
    '-K': nothing,
    '-l': keys({
      ...each('size su', AMOUNT),
      sunit: withValue(NUMBER),
      'lazy-count': withValue(SWITCH),
      version: withValue(/^2$/),
    }),
    '-m': keys(each('bigtime crc finobt inobtcount reflink rmapbt', SWITCH)),
    '-n': keys({
      size: withValue(/^(4096|8192|16384|32768|65536|4k|8k|16k|32k|64k)$/),
      ftype: withValue(/^1$/),
    }),
    '-s': keys({ size: withValue(/^(512|4096|4k)$/) }),
  },
  btrfs: {
    '-d': value(/^(single|dup)$/),
    '-K': nothing,
    '-m': value(/^(single|dup)$/),
    '-n': value(/^(4096|8192|16384|32768|65536|4k|8k|16k|32k|64k)$/i),
    '-O': features('extref no-holes skinny-metadata'),
    '-R': features('free-space-tree quota'),
    '-s': value(/^(4096|4k)$/i),
  },
};

const EVERY_FILESYSTEM: KeyRules = alone(
  'async atime diratime dirsync lazytime noatime nodev nodiratime noexec nolazytime norelatime nosuid nostrictatime ' +
    'relatime strictatime sync',
);

/** By file system, what mount takes after -o. */
export const MOUNT_KEYS: Readonly<Record<FilesystemType, KeyRules>> = {
  ext4: {
    ...EVERY_FILESYSTEM,
    ...alone(
      'auto_da_alloc bsdgroups delalloc discard dioread_lock dioread_nolock grpid journal_checksum ' +
        'noauto_da_alloc nodelalloc nodiscard nogrpid noinit_itable nombcache',
    ),
    ...each('inode_readahead_blks max_batch_time max_dir_size_kb min_batch_time stripe', NUMBER),
    barrier: maybeValue(/^1$/),
    commit: withValue(/^\d{1,4}$/),
    data: withValue(/^(ordered|journal|writeback)$/),
    data_err: withValue(/^(abort|ignore)$/),
    errors: withValue(/^remount-ro$/),
    init_itable: maybeValue(/^\d{1,4}$/),
  },
  xfs: {
    ...EVERY_FILESYSTEM,
    ...alone(
      'discard filestreams gquota grpid inode32 inode64 largeio noalign nodiscard nogrpid nolargeio pquota prjquota ' +
        'swalloc uquota wsync',
    ),
    ...each('sunit swidth', NUMBER),
    allocsize: withValue(AMOUNT),
    logbsize: withValue(/^(16|32|64|128|256)k$|^(16384|32768|65536|131072|262144)$/),
    logbufs: withValue(/^[2-8]$/),
  },
  btrfs: {
    ...EVERY_FILESYSTEM,
    ...alone(
      'autodefrag barrier datacow datasum flushoncommit noautodefrag nodatacow nodatasum nodiscard nossd ' +
        'noflushoncommit nossd_spread notreelog ssd ssd_spread treelog',
    ),
    ...each('metadata_ratio thread_pool', /^\d{1,3}$/),
    commit: withValue(/^\d{1,4}$/),
    compress: maybeValue(/^(no|none|lzo|zlib(:[1-9])?|zstd(:(\d|1[0-5]))?)$/),
    'compress-force': maybeValue(/^(lzo|zlib(:[1-9])?|zstd(:(\d|1[0-5]))?)$/),
    discard: maybeValue(/^(async|sync)$/),
    max_inline: withValue(/^\d{1,5}[kK]?$/),
    space_cache: withValue(/^v2$/),
  },
};
