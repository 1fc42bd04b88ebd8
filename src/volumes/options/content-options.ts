import * as z from 'zod';
import { parseChoice } from '../../units/choice.ts';
import { FILESYSTEMS } from '../volume.ts';
import { parseMkfsOptions, parseMountOptions } from './filesystem-options.ts';
import { named } from './option-words.ts';
import { option } from './option.ts';
import { readMode, readOwner, readSubpath } from './option-readers.ts';

const ONLY_NEW = 'is for new volumes; existing ones keep what they have';
const texts: z.ZodType<readonly string[]> = z.array(z.string());

/** What is inside a volume, and how hosts and containers see it. */
export const CONTENT_OPTIONS = {
  fs: option({
    name: 'fs',
    rexray: ['fsType', 'newFsType'],
    read: (raw) => parseChoice(raw, FILESYSTEMS),
    standard: 'xfs',
    setting: {
      key: 'fs',
      env: 'SCALEIO_FS',
      description: 'File system of new volumes: ext4, xfs or btrfs',
      rexray: [{ env: 'REXRAY_FSTYPE' }],
    },
    label: {
      field: 'fs',
      form: z.enum(FILESYSTEMS),
      differs: (has, asked) => `its file system is ${has}, ${asked} was asked for`,
      shown: { as: 'filesystem', value: (fs) => fs },
    },
    docs: { meaning: '`xfs`, `ext4` or `btrfs`' },
  }),

  /** Arguments for mkfs, checked against the allow-list. */
  mkfsOptions: option({
    name: 'mkfs',
    read: (raw, fs): readonly string[] => parseMkfsOptions(fs, raw),
    standard: '',
    isForFilesystem: true,
    setting: {
      key: 'mkfsOptions',
      env: 'SCALEIO_MKFS',
      description:
        'Arguments for mkfs of new volumes that give none and have the file system of SCALEIO_FS; as the option mkfs',
      read: asWritten,
    },
    made: 'file system',
    docs: {
      meaning: 'more arguments for mkfs, from the list below: `-o mkfs="-m 1 -O metadata_csum"`',
    },
  }),

  /** For mount -o, checked against the allow-list. */
  mountOptions: option({
    name: 'mount',
    read: (raw, fs): readonly string[] => parseMountOptions(fs, raw),
    standard: '',
    isForFilesystem: true,
    setting: {
      key: 'mountOptions',
      env: 'SCALEIO_MOUNT',
      description:
        'Mount options of new volumes that give none and have the file system of SCALEIO_FS; as the option mount',
      read: asWritten,
    },
    label: {
      field: 'mountOptions',
      form: texts,
      differs: (has, asked) => named('its mount options are', 'none', [has.join(','), asked.join(',')]),
    },
    docs: {
      meaning: 'mount options from the list below, with commas: `-o mount=noatime,commit=30`',
      standard: '`noatime`',
    },
  }),

  /** Of the root directory; undefined: as mkfs makes it. */
  uid: option({
    name: 'uid',
    read: readOwner,
    standard: undefined,
    setting: {
      key: 'uid',
      env: 'SCALEIO_UID',
      description:
        'Numeric owner of the root directory of new volumes; unset: 0. With userns-remap: the first id of /etc/subuid',
      takesNumber: true,
    },
    made: 'root directory',
    docs: { meaning: "numeric owner of the volume's root directory", standard: '`0`' },
  }),

  gid: option({
    name: 'gid',
    read: readOwner,
    standard: undefined,
    setting: {
      key: 'gid',
      env: 'SCALEIO_GID',
      description:
        'Numeric group of the root directory of new volumes; unset: 0. With userns-remap: the first id of /etc/subgid',
      takesNumber: true,
    },
    made: 'root directory',
    docs: { meaning: 'its numeric group', standard: '`0`' },
  }),

  mode: option({
    name: 'mode',
    read: readMode,
    standard: undefined,
    setting: {
      key: 'mode',
      env: 'SCALEIO_MODE',
      description: 'Mode of the root directory of new volumes, octal; unset: as mkfs makes it, 0755',
      rexray: [{ env: 'LINUX_VOLUME_FILEMODE', warning: ONLY_NEW }],
    },
    made: 'root directory',
    docs: { meaning: 'its mode, octal', standard: '`0755`' },
  }),

  /** Relative path inside the file system that containers see; '' is its root. */
  subpath: option({
    name: 'subpath',
    read: readSubpath,
    standard: '',
    setting: {
      key: 'subpath',
      env: 'SCALEIO_SUBPATH',
      description: "Directory of a new volume that containers see instead of the file system's root",
      rexray: [
        { env: 'LINUX_VOLUME_ROOTPATH', warning: ONLY_NEW },
        { env: 'LIBSTORAGE_INTEGRATION_VOLUME_OPERATIONS_MOUNT_ROOTPATH' },
      ],
    },
    label: {
      field: 'subpath',
      form: z.string(),
      differs: (has, asked) => named('its subpath is', 'none', [has, asked]),
    },
    docs: {
      meaning:
        'directory of the volume that containers see instead of its root; made with `uid`, `gid` and `mode`',
    },
  }),
};

/** It is read once the file system is known that it is for. */
function asWritten(raw: string): string {
  return raw;
}
