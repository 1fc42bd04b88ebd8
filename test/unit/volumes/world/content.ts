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

export function newFilesystem(fs: FilesystemType, sizeKiB: number): FilesystemContent {
  return {
    kind: 'filesystem',
    fs,
    sizeKiB,
    dirty: false,
    lostFound: fs === 'ext4',
    label: undefined,
    root: { uid: undefined, gid: undefined, mode: undefined },
    directories: new Set(['']),
    files: new Map(),
  };
}
