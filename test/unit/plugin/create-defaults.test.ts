import { describe, expect, it } from 'vitest';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';
import { createDefaults, newVolumesOf } from '../../../src/apps/create-defaults.ts';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

const REQUIRED = {
  SCALEIO_ENDPOINT: 'https://gw.example.com',
  SCALEIO_USERNAME: 'docker',
  SCALEIO_PASSWORD: newSecret('password'),
};
const load = (env: Readonly<Record<string, string>>) =>
  loadSettings({ env: { ...REQUIRED, ...env }, readFile: () => '' });
const made = (env: Readonly<Record<string, string>>, asked: Readonly<Record<string, string>>) =>
  parseCreateOptions('db' as VolumeName, asked, newVolumesOf(load(env).settings)).options;
const flaws = (env: Readonly<Record<string, string>>): FlawedSettingsError => {
  try {
    load(env);
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error;
  }
  throw new Error('the settings were taken');
};

const OLD_KERNELS = {
  SCALEIO_MKFS: '-m bigtime=0,inobtcount=0 -i nrext64=0',
  SCALEIO_MOUNT: 'logbsize=256k',
  SCALEIO_UID: '100000',
  SCALEIO_GID: '100001',
};

describe("the operator's defaults", () => {
  it('make volumes that mixed kernels mount and that userns-remap may write', () => {
    expect(made(OLD_KERNELS, {})).toMatchObject({
      fs: 'xfs',
      mkfsOptions: ['-m', 'bigtime=0,inobtcount=0', '-i', 'nrext64=0'],
      mountOptions: ['logbsize=256k'],
      uid: 100_000,
      gid: 100_001,
      explicit: new Set(),
    });
  });

  it('for one file system are no options of another; owners are', () => {
    expect(made(OLD_KERNELS, { fs: 'ext4' })).toMatchObject({
      fs: 'ext4',
      mkfsOptions: [],
      mountOptions: [],
      uid: 100_000,
      gid: 100_001,
    });
  });

  it('give way to what a volume asks for, also for none', () => {
    expect(made(OLD_KERNELS, { mkfs: '', mount: 'noexec', uid: '0', gid: '5' })).toMatchObject({
      mkfsOptions: [],
      mountOptions: ['noexec'],
      uid: 0,
      gid: 5,
    });
  });

  it('leave a volume that asks for no failover to the policy of whatever host it comes to', () => {
    expect(made({ SCALEIO_FAILOVER: 'never' }, {}).failover).toBe('default');
  });

  it.each([
    [{ SCALEIO_MKFS: '-f' }, /^SCALEIO_MKFS: "-f" is not an allowed mkfs option of xfs; allowed are/],
    [
      { SCALEIO_MKFS: '-m bigtime=0', SCALEIO_FS: 'EXT4' },
      /^SCALEIO_MKFS: "bigtime=0" is not allowed as value of mkfs option "-m" of ext4/,
    ],
    [
      { SCALEIO_MOUNT: 'norecovery' },
      /^SCALEIO_MOUNT: "norecovery" is not an allowed mount option of xfs; it shows/,
    ],
    [
      { SCALEIO_UID: 'dockremap' },
      /^SCALEIO_UID: "dockremap" is not a numeric id, such as 999, of at most 4294967294/,
    ],
    [{ SCALEIO_GID: '4294967295' }, /^SCALEIO_GID: "4294967295" is not a numeric id/],
  ])('are checked at start as the options are: %o', (env, says) => {
    const flawed = flaws(env);
    expect(flawed.problems).toEqual([expect.stringMatching(says)]);
    // Mounts that are there go on under what is left of the settings.
    expect(createDefaults(flawed.local)).toMatchObject({ mkfsOptions: [], mountOptions: [] });
  });

  it('are not judged by a file system that is itself a mistake', () => {
    expect(flaws({ SCALEIO_FS: 'ext5', SCALEIO_MKFS: '-O ^orphan_file' }).problems).toHaveLength(1);
  });
});
