import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { RestoreVolume } from '../../../src/volumes/copies/restore-volume.ts';
import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import { CreateVolume } from '../../../src/volumes/life/create.ts';
import { VolumeLookup } from '../../../src/volumes/life/lookup.ts';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { sh } from './loop-device.ts';
import { Stage } from './swapped-device.ts';

const { signal } = new AbortController();
const name = 'db' as VolumeName;
let stage: Stage | undefined;
let reader: number | undefined;
afterEach(async () => {
  if (reader !== undefined) closeSync(reader);
  reader = undefined;
  await stage?.dispose();
  stage = undefined;
});

it('is read from the disk, not from what the kernel remembers of the old content', async () => {
  stage = await Stage.create();
  const { host, world } = stage;
  const defaults = { defaults: BUILT_IN_DEFAULTS, classes: new Map() };
  const { options } = parseCreateOptions(name, { fs: 'ext4', size: '8GiB' }, defaults);
  const lookup = new VolumeLookup(host);
  await new CreateVolume(host, lookup).create(name, options, signal);
  const { id } = world.volume(name);
  const then = { isFrozen: true, expiresAtSeconds: null, name: 'before' };
  await host.array.snapshotVolumes(
    { copies: [{ volumeId: id, name: snapshotArrayName(id, then) }], access: 'ReadOnly' },
    signal,
  );
  const image = stage.imageOf(name);
  const kept = `${image}.then`;
  await sh('cp', '--sparse=always', image, kept);
  await write(kept, 'then');
  // So it is to be checked before it is mounted, which what there was before is not.
  await sh('debugfs', '-w', '-R', 'set_super_value state 3', kept);
  await write(image, 'now');
  const known = host.journal.known(name);
  if (known?.label === undefined) throw new Error('it was made here');
  host.journal.remember({ ...known, label: { ...known.label, iops: 700 } });
  // As udev and multipathd do, somebody opens the device just then, reads and goes on having it open.
  const device = path.join(path.dirname(image), 'dev', `scini-${id}`);
  stage.overwritten = () => {
    reader = openSync(device, 'r');
    execFileSync('dd', [`if=${device}`, 'of=/dev/null', 'bs=1M', 'count=320', 'status=none']);
    // The same file, so that its loop device has the new content.
    execFileSync('cp', ['--sparse=always', kept, image]);
  };

  const restored = await new RestoreVolume(host, lookup).restore(
    { name, snapshot: 'before', keptUntilSeconds: null },
    signal,
  );

  expect(restored.lacks).toBeNull();
  if (reader !== undefined) closeSync(reader);
  reader = undefined;
  expect(await sh('debugfs', '-R', 'cat /data/version', image)).toBe('then');
  expect(await sh('dumpe2fs', '-h', image)).toMatch(/^Filesystem state: +clean$/m);
  expect(await sh('e2fsck', '-f', '-n', image)).toMatch(/\d+\/\d+ blocks/);
});

/** Into an ext4 that nobody has mounted. */
async function write(image: string, version: string): Promise<void> {
  const source = `${image}.version`;
  writeFileSync(source, version);
  await sh('debugfs', '-w', '-R', 'mkdir /data', image);
  await sh('debugfs', '-w', '-R', `write ${source} /data/version`, image);
}
