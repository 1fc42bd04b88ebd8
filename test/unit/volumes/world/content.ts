import { createHash } from 'node:crypto';
import type { VolumeLabel } from '../../../../src/volumes/options/label.ts';
import type { FilesystemType } from '../../../../src/volumes/volume.ts';

export interface FilesystemContent {
  readonly kind: 'filesystem';
  readonly fs: FilesystemType;
  /** KiB it was made or grown to. */
  sizeKiB: number;
  /** Went away without being unmounted: mounting needs a check first. */
  dirty: boolean;
  lostFound: boolean;
  /** As blkid shows it; two on one host may have the same. */
  uuid: string;
  label: VolumeLabel | undefined;
  root: { uid: number | undefined; gid: number | undefined; mode: number | undefined };
  readonly directories: Set<string>;
  readonly files: Map<string, string>;
}

/** What is on a volume; lives on the array, so every host that maps the volume sees it. */
export type Content =
  | { readonly kind: 'blank' }
  /** A mkfs that was killed. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'foreign'; readonly what: string }
  | FilesystemContent;

/** The same for the same text, and for no other: so that the order in which hosts make file systems does not change it. */
export function newUuid(of: string): string {
  const digits = createHash('sha1').update(of).digest('hex').slice(0, 12);
  return `00000000-0000-4000-8000-${digits}`;
}

export function newFilesystem(fs: FilesystemType, sizeKiB: number, on = 'any'): FilesystemContent {
  return {
    kind: 'filesystem',
    fs,
    sizeKiB,
    dirty: false,
    lostFound: fs === 'ext4',
    uuid: newUuid(on),
    label: undefined,
    root: { uid: undefined, gid: undefined, mode: undefined },
    directories: new Set(['']),
    files: new Map(),
  };
}
