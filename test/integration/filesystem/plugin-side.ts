import { release, tmpdir } from 'node:os';
import { createFilesystems } from '../../../src/filesystem/filesystems.ts';
import { createRunner } from '../../../src/host/run.ts';
import type { ArrayName } from '../../../src/array/ids.ts';
import type { Device } from '../../../src/attach/attacher.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';

/** Runs in a mount namespace of its own: mounts a device and prints whether the host sees it. */
const [mountRoot = '', hostMountinfo = '', device = ''] = process.argv.slice(2);
const filesystems = createFilesystems({
  runner: createRunner(),
  log: silentLog,
  mountRoot,
  undoDir: tmpdir(),
  kernelRelease: release(),
  hostMountinfo,
});
const volume = JSON.parse(device) as Device;
const mountpoint = filesystems.mountpointOf('db' as ArrayName);
const { signal } = new AbortController();
await filesystems.mount(volume, mountpoint, { fs: 'ext4', options: [], readOnly: false }, signal);
try {
  await filesystems.assertVisibleToHost(volume, mountpoint);
  console.log('visible');
} catch (error) {
  console.log(String(error));
}
