import { expect, test } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import type { Device } from '../../../src/attach/attacher.ts';
import type { Filesystems } from '../../../src/volumes/ports.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystems } from './subject.ts';
import { Scene } from './scene.ts';

interface Things {
  readonly scene: Scene;
  readonly filesystems: Filesystems;
  readonly blank: Device;
  readonly made: Device;
  /** At `mountpoint`, and so grown since that it could grow. */
  readonly mounted: Device;
  readonly mountpoint: string;
}

type Call = (things: Things, signal: AbortSignal) => Promise<unknown>;

/** Of what does something: a check finds nothing to do, for one. */
const CALLS: Readonly<Record<string, Call>> = {
  probe: ({ filesystems, made }, signal) => filesystems.probe(made, signal),
  proveBlank: ({ filesystems, blank }, signal) => filesystems.proveBlank(blank, signal),
  make: ({ filesystems, scene, blank }, signal) =>
    filesystems.make(blank, { fs: scene.fs, options: [] }, signal),
  renewUuid: ({ filesystems, scene, made }, signal) =>
    filesystems.renewUuid(made, scene.at('docker-web'), scene.fs, signal),
  mount: ({ filesystems, scene, made }, signal) =>
    filesystems.mount(made, scene.at('docker-web'), { fs: scene.fs, options: [], readOnly: false }, signal),
  grow: ({ filesystems, scene, mounted, mountpoint }, signal) =>
    filesystems.grow(mounted, mountpoint, scene.fs, signal),
  trim: ({ filesystems, mountpoint }, signal) => filesystems.trim(mountpoint, signal),
  unmount: ({ filesystems, mountpoint }, signal) => filesystems.unmount(mountpoint, { lazy: false }, signal),
  prepareRoot: ({ filesystems, mountpoint }, signal) =>
    filesystems.prepareRoot(
      mountpoint,
      { uid: undefined, gid: undefined, mode: undefined, subpath: 'a' },
      signal,
    ),
  readLabel: ({ filesystems, mountpoint }, signal) => filesystems.readLabel(mountpoint, signal),
};

/** A signal that has fired before. What it would have changed is as it was. */
export function filesystemSignalCases(open: OpenFilesystems, fs: FilesystemType): void {
  test('ends each call and leaves everything as it is', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems, outside } = scene.host;
    const [blank, made, small] = [await scene.host.blank(), await scene.made(), await scene.made()];
    await scene.mount(small, 'docker-db');
    const mounted = await outside.double(small);
    const mountpoint = scene.at('docker-db');
    const things = { scene, filesystems, blank, made, mounted, mountpoint };
    for (const [method, call] of Object.entries(CALLS)) {
      const ended = call(things, AbortSignal.abort());
      await expect(ended, method).rejects.toBeInstanceOf(CancelledError);
    }
    const live = new AbortController().signal;
    expect(await filesystems.probe(blank, live)).toEqual({ kind: 'blank' });
    expect(await scene.table()).toEqual([`${mounted.number} ${mountpoint}`]);
    await expect(filesystems.resolveSubpath(mountpoint, 'a')).rejects.toThrow();
    if (scene.host.canGrow) expect(await filesystems.grow(mounted, mountpoint, fs, live)).toBe(true);
  });
}
