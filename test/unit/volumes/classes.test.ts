import { describe, expect, it } from 'vitest';
import { loadSettings, FlawedSettingsError } from '../../../src/config/load-settings.ts';
import { newVolumesOf } from '../../../src/apps/create-defaults.ts';
import { lifeActionsOn } from '../../../src/volumes/life/life-actions.ts';
import { openClasses } from '../../../src/volumes/options/classes.ts';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { World } from './world/world.ts';

const GIB_KIB = 1024 ** 2;
const REQUIRED = {
  SCALEIO_ENDPOINT: 'https://gw.example.com',
  SCALEIO_USERNAME: 'docker',
  SCALEIO_PASSWORD: newSecret('password'),
};
const load = (classes: unknown, env: Readonly<Record<string, string>> = {}) =>
  loadSettings({
    env: { ...REQUIRED, SCALEIO_CLASSES: JSON.stringify(classes), ...env },
    readFile: () => JSON.stringify(classes),
  });
const made = (classes: unknown, asked: Record<string, string>, env: Record<string, string> = {}) =>
  parseCreateOptions('db' as VolumeName, asked, newVolumesOf(load(classes, env).settings)).options;
const problemsOf = (classes: unknown, env: Record<string, string> = {}): readonly string[] => {
  try {
    load(classes, env);
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error.problems;
    throw error;
  }
  return [];
};

const GOLD = { pool: 'ssd', iops: 5000, size: '64GiB', fs: 'ext4', mkfs: '-m 1', mount: 'commit=30' };
const CLASSES = { gold: GOLD, silver: { iops: '500', readonly: false } };

describe('a class', () => {
  it('stands for its options, which are not what the user asked for', () => {
    const options = made(CLASSES, { class: 'gold' });
    expect(options).toMatchObject({
      className: 'gold',
      pool: 'ssd',
      iops: 5000,
      sizeKiB: 64 * GIB_KIB,
      fs: 'ext4',
      mkfsOptions: ['-m', '1'],
      mountOptions: ['commit=30'],
    });
    expect(options.explicit).toEqual(new Set(['className']));
    expect(options.ofClass).toEqual(
      new Set(['pool', 'iops', 'sizeKiB', 'fs', 'mkfsOptions', 'mountOptions']),
    );
  });

  it("gives way to what is asked for, and goes before the operator's defaults", () => {
    const env = { SCALEIO_SIZE: '24GiB', SCALEIO_POOL: 'hdd', SCALEIO_UID: '5' };
    const options = made(CLASSES, { class: 'gold', iops: '100' }, env);
    expect(options).toMatchObject({ iops: 100, sizeKiB: 64 * GIB_KIB, pool: 'ssd', uid: 5 });
    expect(options.ofClass).not.toContain('iops');
    expect(made(CLASSES, { class: 'silver' }, env)).toMatchObject({ sizeKiB: 24 * GIB_KIB, iops: 500 });
    expect(made(CLASSES, {}, env)).toMatchObject({ pool: 'hdd', className: undefined });
  });

  it('has what is for its file system left out where another is asked for, and where it has another than the defaults', () => {
    expect(made(CLASSES, { class: 'gold', fs: 'xfs' })).toMatchObject({ mkfsOptions: [], mountOptions: [] });
    const env = { SCALEIO_MOUNT: 'logbsize=256k' };
    expect(made({ plain: { fs: 'ext4' } }, { class: 'plain' }, env)).toMatchObject({ mountOptions: [] });
    expect(made(CLASSES, { class: 'silver' }, env)).toMatchObject({ mountOptions: ['logbsize=256k'] });
  });

  it.each([
    [
      CLASSES,
      'glod',
      '"glod" is none of this host\'s classes, did you mean "gold"? (there are: gold silver)',
    ],
    [CLASSES, 'Gold', '"Gold" is none of this host\'s classes, did you mean "gold"?'],
    [{}, 'gold', '"gold" is unknown: this host has no classes (SCALEIO_CLASSES)'],
    [CLASSES, '', '"" is not the name of a class'],
    [CLASSES, 'a b', '"a b" is not the name of a class'],
    [CLASSES, 'toString', '"toString" is none'],
  ])('of %o that is called %o is refused with what could be meant', (classes, name, says) => {
    expect(() => made(classes, { class: name })).toThrow(`creating volume "db" failed: class ${says}`);
  });

  it.each([
    ['text', '{"gold"', /^SCALEIO_CLASSES: is not a JSON object such as/],
    ['list', '[]', /is not a JSON object such as/],
    ['name', { 'a b': {} }, /"a b" is no name for a class/],
    ['no options', { gold: 'ssd' }, /class "gold" is not a JSON object of options/],
    ['list of options', { gold: { pool: ['ssd'] } }, /class "gold" is not a JSON object of options/],
    ['unknown option', { gold: { pol: 'ssd' } }, /class "gold": unknown option "pol", did you mean "pool"/],
    ['wrong value', { gold: { iops: 5 } }, /class "gold": iops "5" is not 0 \(no limit\) or a number/],
    [
      'option of another file system',
      { gold: { fs: 'ext4', mount: 'logbsize=256k' } },
      /class "gold": mount/,
    ],
    ['option that does nothing', { gold: { encrypted: true } }, /"encrypted" does nothing here/],
    ['class of a class', { gold: { class: 'silver' } }, /class "gold": class cannot come from a class/],
    ['copy', { gold: { from: 'db' } }, /class "gold": from cannot come from a class/],
  ])('is looked at when the settings are: %s', (_, classes, says) => {
    const env = typeof classes === 'string' ? { SCALEIO_CLASSES: classes } : {};
    expect(problemsOf(classes, env)).toEqual([expect.stringMatching(says)]);
  });

  it('is judged by the file system that it will have, also where the settings say which', () => {
    const classes = { gold: { mkfs: '-O quota' } };
    expect(problemsOf(classes)).toHaveLength(1);
    expect(problemsOf(classes, { SCALEIO_FS: 'ext4' })).toEqual([]);
  });

  it('may stand in a file of its own, and in the settings file as it is', () => {
    const { settings } = loadSettings({
      env: { ...REQUIRED, SCALEIO_CLASSES_FILE: '/etc/scaleio/classes.json' },
      readFile: () => JSON.stringify(CLASSES),
    });
    expect(newVolumesOf(settings).classes.get('gold')?.options).toMatchObject({ iops: '5000' });
    const file = loadSettings({
      env: { ...REQUIRED, SCALEIO_CONFIG: '/etc/scaleio.json' },
      readFile: () => JSON.stringify({ classes: CLASSES }),
    });
    expect([...newVolumesOf(file.settings).classes.keys()]).toEqual(['gold', 'silver']);
  });

  it('is listed with its options by their own names, as the operator wrote them', async () => {
    const classes = openClasses({ gold: { volumeType: 'ssd', SIZE: '8' } }, BUILT_IN_DEFAULTS);
    const { host, lock } = new World().host(1).life;
    const actions = lifeActionsOn(host, lock, { defaults: BUILT_IN_DEFAULTS, classes });
    expect(await actions.listClasses({}, new AbortController().signal)).toEqual([
      { name: 'gold', options: { pool: 'ssd', size: '8' } },
    ]);
  });
});

describe('a volume of a class', () => {
  const classes = (written: Record<string, Record<string, string>>) =>
    openClasses(written, BUILT_IN_DEFAULTS);
  const scene = () => {
    const world = new World();
    const host = world.host(1);
    host.classes = classes({ gold: { iops: '5000', size: '24GiB' }, silver: { iops: '500' } });
    return { world, host };
  };

  it('keeps its name in the label and shows it', async () => {
    const { world, host } = scene();
    await world.run(host.life.create('db', { class: 'gold' }));
    await world.run(host.life.create('plain'));
    expect(world.content('db').label).toMatchObject({ class: 'gold', iops: 5000 });
    expect((await world.run(host.life.get('db'))).status).toMatchObject({ class: 'gold' });
    expect((await world.run(host.life.get('plain'))).status).toMatchObject({ class: null });
  });

  it('differs from nothing when the class has changed since, and from what is asked for in so many words', async () => {
    const { world, host } = scene();
    await world.run(host.life.create('db', { class: 'gold' }));
    const before = world.content('db').label;
    host.classes = classes({ gold: { iops: '9000', size: '64GiB', fs: 'ext4' }, silver: {} });
    host.restart();
    await world.run(host.life.create('db', { class: 'gold' }));
    await world.run(host.life.create('db'));
    expect(world.content('db').label).toEqual(before);
    await expect(world.run(host.life.create('db', { class: 'silver' }))).rejects.toThrow(
      'volume "db" exists and differs: its class is "gold", "silver" was asked for',
    );
    await expect(world.run(host.life.create('db', { class: 'gold', iops: '9000' }))).rejects.toThrow(
      'its limit is 5000 I/O operations per second, 9000 I/O operations per second was asked for',
    );
    await world.run(host.life.create('plain'));
    await expect(world.run(host.life.create('plain', { class: 'gold' }))).rejects.toThrow(
      'its class is none, "gold" was asked for',
    );
  });

  it('that is a copy is served as its class says, and has what is in its origin', async () => {
    const { world, host } = scene();
    host.classes = classes({
      gold: {
        iops: '5000',
        size: '64GiB',
        fs: 'ext4',
        subpath: 'elsewhere',
        pool: 'nowhere',
        'grow-max': '1TiB',
      },
    });
    await world.run(host.life.create('db', { iops: '100', subpath: 'data', size: '8GiB' }));
    await world.run(host.life.create('copy', { from: 'db', class: 'gold' }));
    expect(world.content('copy').label).toMatchObject({
      class: 'gold',
      iops: 5000,
      subpath: 'data',
      fs: 'xfs',
      growMaxKiB: 1024 * GIB_KIB,
    });
    expect(world.volume('copy').sizeKiB).toBe(8 * GIB_KIB);
    await world.run(host.life.create('copy-of-copy', { from: 'copy', iops: '0' }));
    expect(world.content('copy-of-copy').label).toMatchObject({ class: 'gold', iops: 0 });
  });
});
