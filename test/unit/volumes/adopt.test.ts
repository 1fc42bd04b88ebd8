import { describe, expect, it } from 'vitest';
import type { HostId } from '../../../src/array/ids.ts';
import { VolumeConflictError, VolumeInUseError, VolumeNotFoundError } from '../../../src/errors.ts';
import { lifeActionsWithout } from '../../../src/volumes/life/life-actions.ts';
import { VolumeLock } from '../../../src/volumes/life/volume-lock.ts';
import type { AdoptRequest } from '../../../src/volumes/operator-actions.ts';
import { labelOf } from '../../../src/volumes/options/label.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import { asVolumeName } from '../../../src/volumes/volume.ts';
import { foreignContent, foreignVolume, lifeActions } from './world/life-scenarios.ts';
import { useVolume } from './world/scenarios.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const limit = (): AbortSignal => new AbortController().signal;

function scene() {
  const world = new World(2);
  const actions = lifeActions(world);
  const adopt = (arrayName: string, more: Partial<AdoptRequest> = {}) =>
    world.run(actions.adopt({ arrayName, name: null, inPlace: false, subpath: null, ...more }, limit()));
  return { world, actions, adopt };
}

describe('adoption', () => {
  it('gives a volume its label and its name, takes nothing from it, and leaves it to nobody', async () => {
    const { world, adopt } = scene();
    const { id } = foreignVolume(world, 'rexray-db', foreignContent('ext4'));
    expect(await adopt('rexray-db', { name: 'db', subpath: 'data' })).toEqual({
      name: 'db',
      volumeId: id,
      arrayName: 'docker-db',
      sizeKiB: 8 * 1024 * 1024,
      content: 'ext4',
      label: 'written',
    });
    expect(world.content('db').label).toMatchObject({
      name: 'db',
      volumeId: id,
      fs: 'ext4',
      subpath: 'data',
    });
    expect(world.content('db').files.get('precious')).toBe('written before');
    expect(world.leaks()).toEqual([]);
    await useVolume(world, 'after', 2);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('in place leaves the name as it is, which must be one that engines see', async () => {
    const { world, adopt } = scene();
    const { id } = foreignVolume(world, 'docker-files', foreignContent());
    foreignVolume(world, 'files', foreignContent());
    expect(await adopt('docker-files', { inPlace: true })).toMatchObject({ name: 'files', volumeId: id });
    expect(world.volume('files').id).toBe(id);
    await expect(adopt('files', { inPlace: true })).rejects.toThrow('only what is called "docker-NAME"');
    await expect(adopt('docker-files', { inPlace: true, name: 'other' })).rejects.toThrow('--in-place');
    // Nothing is told apart by its name alone: the one that is free gets the next.
    await expect(adopt('files')).rejects.toThrow(VolumeConflictError);
    expect(await adopt('files', { name: 'more' })).toMatchObject({ arrayName: 'docker-more' });
  });

  it('leaves what is blank blank', async () => {
    const { world, adopt } = scene();
    foreignVolume(world, 'empty', { kind: 'blank' });
    expect(await adopt('empty')).toMatchObject({ content: 'blank', label: 'none' });
    expect(world.volume('empty').content).toEqual({ kind: 'blank' });
    await expect(world.run(world.host(1).life.mount('empty', 'a'))).rejects.toThrow(
      'a mount never makes one',
    );
  });

  it('is refused while any host has it, this one too, and nothing was changed', async () => {
    const { world, adopt } = scene();
    const volume = foreignVolume(world, 'cinder-1', foreignContent());
    for (const host of [1, 2]) {
      world.array.map(volume.id, world.host(host).sdcId, false);
      await expect(adopt('cinder-1', { name: 'db' })).rejects.toThrow(VolumeInUseError);
      world.array.unmap(volume.id, world.host(host).sdcId);
    }
    expect(world.array.byName('cinder-1')).toBeDefined();
    expect(world.host(1).disk.entries.size).toBe(0);
  });

  it('is refused where the name is taken before anything is attached', async () => {
    const { world, adopt } = scene();
    foreignVolume(world, 'docker-db', foreignContent());
    foreignVolume(world, 'cinder-1', foreignContent());
    const attached: string[] = [];
    world.host(1).life.steps.hook = ({ method }): Verdict => {
      if (method === 'attachVolume') attached.push(method);
      return 'go';
    };
    await expect(adopt('cinder-1', { name: 'db' })).rejects.toThrow(VolumeConflictError);
    expect(attached).toEqual([]);
  });

  it('is refused when another host maps it between the look and the attachment', async () => {
    const { world, adopt } = scene();
    const volume = foreignVolume(world, 'cinder-1', foreignContent());
    const other: HostId = world.host(2).sdcId;
    const { steps } = world.host(1).life;
    steps.hook = ({ method, side }): Verdict => {
      if (method === 'attachVolume' && side === 'before') world.array.map(volume.id, other, false);
      return 'go';
    };
    await expect(adopt('cinder-1', { name: 'db' })).rejects.toThrow('another host mapped it just now');
    expect(volume.content).toMatchObject({ label: undefined });
    expect(volume.name).toBe('cinder-1');
    expect([...volume.mappings.keys()]).toEqual([other]);
    expect(world.array.fences).toEqual([]);
  });

  it('is refused for what holds something else, for a subpath that is not there, and for what is not there', async () => {
    const { world, adopt } = scene();
    foreignVolume(world, 'lvm', { kind: 'foreign', what: 'LVM2_member' });
    const plain = foreignVolume(world, 'plain', foreignContent());
    await expect(adopt('lvm')).rejects.toThrow('it holds LVM2_member, which this plugin does not mount');
    await expect(adopt('plain', { subpath: 'nowhere' })).rejects.toThrow();
    await expect(adopt('gone')).rejects.toThrow(VolumeNotFoundError);
    await expect(adopt('~new.00000000.00000000')).rejects.toThrow("are this plugin's own");
    expect(plain).toMatchObject({ name: 'plain', content: { label: undefined } });
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it("keeps a label of the volume's own, and refuses that of another", async () => {
    const { world, adopt } = scene();
    const own = foreignVolume(world, 'tenant-db', foreignContent());
    const copied = foreignVolume(world, 'tenant-copy', foreignContent());
    const options = { ...BUILT_IN_DEFAULTS, iops: 500 };
    const label = labelOf(options, { name: asVolumeName('db'), volumeId: own.id });
    for (const { content } of [own, copied]) if (content.kind === 'filesystem') content.label = label;
    expect(await adopt('tenant-db', { name: 'mine' })).toMatchObject({ label: 'kept' });
    expect(world.content('mine').label).toMatchObject({ iops: 500, volumeId: own.id, name: 'mine' });
    await expect(adopt('tenant-copy', { name: 'copy' })).rejects.toThrow('its label is of volume "db"');
    expect(world.array.byName('tenant-copy')).toBeDefined();
    expect(world.leaks()).toEqual([]);
  });
});

describe('renaming', () => {
  it('keeps everything but the name, which the next Mount writes into the label', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    await world.run(life.create('db', { failover: 'never', iops: '500' }));
    const { id } = world.volume('db');
    life.gateway.calls.clear();
    expect(await world.run(actions.rename({ name: 'db', to: 'old' }, limit()))).toEqual({
      name: 'old',
      volumeId: id,
    });
    expect(life.gateway.totalCalls).toBe(3);
    await expect(world.run(life.get('db'))).rejects.toThrow(VolumeNotFoundError);
    await world.run(world.host(2).life.mount('old', 'a'));
    expect(world.content('old').label).toMatchObject({ name: 'old', iops: 500, failover: 'never' });
    await expect(world.run(actions.rename({ name: 'old', to: 'new' }, limit()))).rejects.toThrow(
      VolumeInUseError,
    );
  });

  it('is refused where the name is taken or the volume is not there, and goes on without a plugin', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    for (const name of ['db', 'web']) await world.run(life.create(name));
    const { id } = world.volume('db');
    await expect(world.run(actions.rename({ name: 'db', to: 'web' }, limit()))).rejects.toThrow(
      'there is a volume "web" already',
    );
    await expect(world.run(actions.rename({ name: 'x', to: 'y' }, limit()))).rejects.toThrow(
      VolumeNotFoundError,
    );
    await expect(world.run(actions.rename({ name: 'db', to: 'a/b' }, limit()))).rejects.toThrow(
      'contains "/"',
    );
    const { array, clock } = life.host;
    const parts = { array, prefix: 'docker-', lock: new VolumeLock(clock) };
    const self = lifeActionsWithout(parts, { defaults: BUILT_IN_DEFAULTS, classes: new Map() });
    await world.run(self.rename({ name: 'db', to: 'sql' }, limit()));
    expect(world.volume('sql').id).toBe(id);
    for (const refused of [
      self.create({ name: 'n', options: {} }, limit()),
      self.seal({ name: 'sql' }, limit()),
      self.adopt({ arrayName: 'x', name: null, inPlace: false, subpath: null }, limit()),
    ])
      await expect(refused).rejects.toThrow('no plugin runs here');
  });

  it('two at once to and fro do not wait for each other for ever', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    await world.run(life.create('a'));
    const both = Promise.allSettled([
      actions.rename({ name: 'a', to: 'b' }, limit()),
      actions.rename({ name: 'b', to: 'a' }, limit()),
    ]);
    expect((await world.run(both)).map(({ status }) => status)).toContain('fulfilled');
  });
});

describe('creation by command', () => {
  it('is that of Docker, with its warnings', async () => {
    const { world, actions } = scene();
    const asked = { name: 'db', options: { size: '24GiB', encrypted: 'true' } };
    const made = await world.run(actions.create(asked, limit()));
    expect(made).toMatchObject({ name: 'db', volumeId: world.volume('db').id });
    expect(made.warnings).toEqual([expect.stringContaining('"encrypted" is ignored')]);
    expect(world.volume('db').sizeKiB).toBe(24 * 1024 * 1024);
    await expect(
      world.run(actions.create({ name: 'db', options: { size: '8GiB' } }, limit())),
    ).rejects.toThrow(VolumeConflictError);
    await expect(world.run(actions.create({ name: 'db', options: { sizes: '8' } }, limit()))).rejects.toThrow(
      'did you mean "size"',
    );
  });
});

describe('sealing', () => {
  it('makes a volume readable on many hosts at once, for good, and is done once', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    await world.run(life.create('map'));
    await useVolumeNamed(world, 'map');
    expect(await world.run(actions.seal({ name: 'map' }, limit()))).toEqual({ isChanged: true });
    expect(await world.run(actions.seal({ name: 'map' }, limit()))).toEqual({ isChanged: false });
    await world.run(life.mount('map', 'a'));
    await world.run(world.host(2).life.mount('map', 'b'));
    expect(world.volume('map').mappings.size).toBe(2);
  });

  it('replays the journal before, which nobody could any more', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    await world.run(life.create('map'));
    await useVolumeNamed(world, 'map');
    world.content('map').dirty = true;
    await world.run(actions.seal({ name: 'map' }, limit()));
    expect(world.content('map').dirty).toBe(false);
    expect(world.leaks()).toEqual([]);
  });

  it('is refused while a host has it, also one that took it in between, which can write then as before', async () => {
    const { world, actions } = scene();
    const { life } = world.host(1);
    await world.run(life.create('map'));
    await world.run(life.mount('map', 'a'));
    await expect(world.run(actions.seal({ name: 'map' }, limit()))).rejects.toThrow(VolumeInUseError);
    await world.run(life.unmount('map', 'a'));
    life.steps.hook = ({ method, side }): Verdict => {
      if (method === 'limitToReadOnly' && side === 'before')
        world.array.map(world.volume('map').id, world.host(2).sdcId, false);
      return 'go';
    };
    await expect(world.run(actions.seal({ name: 'map' }, limit()))).rejects.toThrow(
      'stop what uses it there first',
    );
    expect(world.volume('map').accessModeLimit).toBe('ReadWrite');
  });

  it('is refused where the array cannot do it, and for what is not there', async () => {
    const { world, actions } = scene();
    await expect(world.run(actions.seal({ name: 'map' }, limit()))).rejects.toThrow(VolumeNotFoundError);
    world.array.version = '2.6';
    const old = lifeActions(world);
    await expect(world.run(old.seal({ name: 'map' }, limit()))).rejects.toThrow(
      'cannot limit a volume to reading',
    );
  });
});

async function useVolumeNamed(world: World, name: string): Promise<void> {
  const { life } = world.host(1);
  await world.run(life.mount(name, 'before'));
  await world.run(life.unmount(name, 'before'));
}
