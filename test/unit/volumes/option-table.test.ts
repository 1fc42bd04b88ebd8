import { describe, expect, it } from 'vitest';
import type { SnapshotPolicy } from '../../../src/array/copies.ts';
import { asPolicyId } from '../../../src/array/ids.ts';
import { createDefaults } from '../../../src/apps/create-defaults.ts';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';
import { REXRAY_NAMES } from '../../../src/config/rexray-names.ts';
import { InvalidRequestError } from '../../../src/errors.ts';
import { openClasses } from '../../../src/volumes/options/classes.ts';
import { compareOptions } from '../../../src/volumes/options/compare-options.ts';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import { describeOptions } from '../../../src/volumes/options/describe-options.ts';
import type { VolumeLabel } from '../../../src/volumes/options/label.ts';
import {
  BUILT_IN_DEFAULTS,
  OPTION_ENTRIES,
  type OptionField,
  type OptionValues,
} from '../../../src/volumes/options/option-table.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { World } from './world/world.ts';

const REQUIRED = {
  SCALEIO_ENDPOINT: 'https://gw.example.com',
  SCALEIO_USERNAME: 'docker',
  SCALEIO_PASSWORD: newSecret('password'),
};

const NEW_VOLUMES = {
  defaults: BUILT_IN_DEFAULTS,
  classes: openClasses({ gold: { iops: '500' } }, BUILT_IN_DEFAULTS),
};

const never = new AbortController().signal;

/** Of each option another value than the usual one, and texts that it may refuse. */
const SAMPLES: Readonly<Record<OptionField, readonly [other: string, ...more: string[]]>> = {
  sizeKiB: ['24GiB', '1.5T', '16', '0', '-5', 'big', '2PiB', '16 bananas'],
  pool: ['pool1', 'a b', 'x'.repeat(32), 'ü'],
  domain: ['domain1', 'a b', 'x'.repeat(32)],
  provisioning: ['thick', 'THIN', 'ThickProvisioned', 'fat', 'thicc'],
  fs: ['ext4', 'XFS', 'btrfs', 'ext5', 'ntfs'],
  mkfsOptions: ['-K', '-m reflink=0', '-f', '-m', '-d su=64k,', '-K -K', 'x'.repeat(600)],
  mountOptions: [
    'noexec',
    'logbsize=256k',
    'defaults',
    'ro',
    'norecovery',
    'logbufs=9',
    'logbufs=2,logbufs=3',
  ],
  uid: ['999', '0', 'postgres', '-1', '4294967295', '1e3'],
  gid: ['999', '4294967294', 'x', '4294967295'],
  mode: ['0700', '750', '02775', '0999', 'rwx', '77777'],
  iops: ['500'],
  bandwidthKiBps: ['100MiB'],
  readOnly: ['true'],
  subpath: ['data', '/data/', 'a//b', '../x', 'a/./b', 'a\nb', 'ä'.repeat(128)],
  failover: ['never', 'IDLE', 'sometimes'],
  growAbovePercent: ['80%'],
  growBy: ['50GiB'],
  growMaxKiB: ['1TiB'],
  from: ['origin'],
  snapshotPolicy: ['daily', 'a b'],
  className: ['gold'],
};

/** On the array that the volumes are made on. */
const DAILY: SnapshotPolicy = {
  id: asPolicyId('5000000000000001'),
  name: 'daily',
  isActive: true,
  cadenceMinutes: 60,
  retained: [7],
  access: 'ReadOnly',
  isSecure: false,
  lastTakenAtSeconds: null,
  nextAtSeconds: null,
};

/** What an option cannot be asked for without. */
const TAKES: Partial<Record<OptionField, Record<string, string>>> = {
  growAbovePercent: { 'grow-max': '1TiB' },
};

const refusal = (work: () => unknown): unknown => {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof FlawedSettingsError) return { problems: error.problems };
    if (error instanceof InvalidRequestError) return { problems: [error.message] };
    throw error;
  }
};

const bySetting = (env: string, text: string, field: OptionField) =>
  refusal(() => {
    const { settings } = loadSettings({ env: { ...REQUIRED, [env]: text }, readFile: () => '' });
    return field === 'failover' ? settings.failover : createDefaults(settings)[field];
  });
const byOption = (name: string, text: string, field: OptionField) =>
  refusal(() => parseCreateOptions('db' as VolumeName, { [name]: text }, NEW_VOLUMES).options[field]);

describe('an option and the setting that stands for it', () => {
  const pairs = OPTION_ENTRIES.flatMap(([field, { name, setting }]) =>
    setting === undefined ? [] : SAMPLES[field].map((text) => ({ field, name, env: setting.env, text })),
  );

  it.each(pairs)('$name and $env take and refuse $text alike', ({ field, name, env, text }) => {
    const said = (start: string) => (problem: string) => problem.replace(start, '');
    const option = byOption(name, text, field) as { problems?: string[] };
    const setting = bySetting(env, text, field) as { problems?: string[] };
    // "default" is to follow the setting, so the setting itself cannot be it.
    const forOption = said(`creating volume "db" failed: ${name} `);
    expect(option.problems?.map(forOption).map((why) => why.replace(', default', '')) ?? option).toEqual(
      setting.problems?.map(said(`${env}: `)) ?? setting,
    );
  });
});

describe('the table of options', () => {
  it('has no name twice, neither of an option nor of a setting', () => {
    const names = OPTION_ENTRIES.flatMap(([, { name, rexray = [], aliases = [] }]) => [
      ...new Set([name, ...rexray, ...aliases]),
    ]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    const fields = OPTION_ENTRIES.flatMap(([, { label }]) => label?.field ?? []);
    expect(new Set(fields).size).toBe(fields.length);
    const variables = REXRAY_NAMES.map(({ env }) => env);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('lets a label do without every option that is younger than labels', () => {
    const first = 'requestedKiB fs mountOptions subpath iops bandwidthKiBps failover'.split(' ');
    for (const [, { label }] of OPTION_ENTRIES)
      if (label !== undefined && !first.includes(label.field))
        expect([label.field, label.form.safeParse(undefined).success]).toEqual([label.field, true]);
  });

  it.each(OPTION_ENTRIES.map(([field, option]) => ({ field, option, name: option.name })))(
    'says of $name where it is kept, and Create and Status go by it',
    async ({ field, option, name }) => {
      const { array, label, made } = option;
      expect(array ?? label ?? made).toBeDefined();
      const world = new World();
      const host = world.host(1);
      host.classes = NEW_VOLUMES.classes;
      world.array.policies.set(DAILY.id, DAILY);
      await world.run(host.life.create('origin'));
      const [other] = SAMPLES[field];
      const asked = { ...TAKES[field], [name]: other };
      await world.run(host.life.create('db', asked));
      await world.run(host.life.create('db', asked));
      await world.run(host.life.create('db'));

      const { status } = await world.run(host.life.get('db'));
      for (const shown of [array?.shown, label?.shown])
        if (shown !== undefined) expect(status[shown.within ?? shown.as]).not.toBeNull();

      const kept: unknown = world.content('db').label;
      const read = parseCreateOptions('db' as VolumeName, asked, NEW_VOLUMES).options;
      if (label !== undefined) expect(kept).toMatchObject({ [label.field]: read[field] });
    },
  );

  it('takes what a label does not say for what a volume gets that asks for nothing', async () => {
    const world = new World();
    await world.run(world.host(1).life.create('db', { fs: 'xfs' }));
    const volume = await world.run(world.host(1).life.gateway.getVolume(world.volume('db').id, never));
    if (volume === undefined) throw new Error('the volume is gone');
    const label = { version: 1, name: 'db' } as unknown as VolumeLabel;
    const compared = (raw: Record<string, string>) =>
      compareOptions(
        {
          volume,
          label,
          capabilities: { grainKiB: 1, readOnlyLimit: true, secureSnapshots: true, snapshotPolicies: true },
          askedPool: undefined,
          origin: undefined,
        },
        parseCreateOptions('db' as VolumeName, raw, NEW_VOLUMES).options,
      );
    const usual = { fs: 'xfs', mount: '', iops: '0', bandwidth: '0', subpath: '', failover: 'default' };
    expect(compared(usual)).toEqual([]);
    expect(compared({ fs: 'ext4', iops: '500' })).toEqual([
      'its limit is no limit, 500 I/O operations per second was asked for',
      'its file system is xfs, ext4 was asked for',
    ]);
    const known = { sizeKiB: volume.sizeKiB, poolId: volume.poolId, readOnly: false };
    expect(describeOptions({ known, volume, pool: undefined }, label)).toMatchObject({
      filesystem: 'xfs',
      limits: { iops: 0, bandwidthKiBps: 0 },
      failover: 'default',
    });
  });

  it('has Status say null of what this host does not know', () => {
    const known = { sizeKiB: null, poolId: null, readOnly: false };
    const status = describeOptions({ known, volume: undefined, pool: undefined }, undefined);
    const names = OPTION_ENTRIES.flatMap(([, { array, label }]) =>
      [array?.shown, label?.shown].flatMap((shown) => shown?.within ?? shown?.as ?? []),
    );
    expect(status).toEqual(Object.fromEntries(names.map((name) => [name, null])));
  });

  it('reaches a volume with what an operator chose, as if it had been asked for', () => {
    for (const [field, { name, setting }] of OPTION_ENTRIES) {
      if (setting === undefined || setting.isFollowed === true) continue;
      const env = { ...REQUIRED, [setting.env]: SAMPLES[field][0] };
      const chosen = createDefaults(loadSettings({ env, readFile: () => '' }).settings);
      const asked: OptionValues = parseCreateOptions(
        'db' as VolumeName,
        { [name]: SAMPLES[field][0] },
        NEW_VOLUMES,
      ).options;
      expect(chosen[field]).toEqual(asked[field]);
      expect(chosen[field]).not.toEqual(BUILT_IN_DEFAULTS[field]);
    }
  });
});
