import { describe, expect, it } from 'vitest';
import { asHostId, asVolumeId } from '../../../src/array/ids.ts';
import { holderActions } from '../../../src/volumes/operated-volumes.ts';
import { VolumeOperator } from '../../../src/volumes/takeover/operator.ts';
import { arrayNameFor } from '../../../src/volumes/naming.ts';
import { asVolumeName } from '../../../src/volumes/volume.ts';
import { World } from './world/world.ts';

const ANONYMOUS = '3f'.repeat(32);
const limit = (): AbortSignal => new AbortController().signal;

/** Volumes of the first host, and the door of the second. */
async function scene(...names: readonly string[]) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  for (const host of world.hosts) host.mayFence = true;
  for (const name of names) await world.run(one.life.create(name));
  const { host, lock } = two.life;
  const { filesystems } = host;
  let record: { volumeId: string; arrayName: string } | undefined;
  const looked: string[] = [];
  const entries = () => Promise.resolve(host.journal.all());
  const actions = holderActions({
    ...host,
    lock,
    entries,
    prefix: 'docker-',
    operator: new VolumeOperator(host, host.policy),
    anonymous: {
      ...host,
      prefix: 'docker-',
      record: {
        read: () => Promise.resolve(record),
        write: (wanted) => Promise.resolve(void (record = wanted)),
        remove: () => Promise.resolve(void (record = undefined)),
      },
      isEntered: async (volumeId) => (await entries()).some((entry) => entry.volumeId === volumeId),
      labelOn: () => {
        const volume = [...world.array.volumes.values()].find(({ id }) => id === record?.volumeId);
        looked.push(volume?.name ?? '');
        return Promise.resolve(volume?.content.kind === 'filesystem' ? volume.content.label : undefined);
      },
      isHeld: (device) => filesystems.isHeld(device),
    },
  });
  const arrayName = arrayNameFor('docker-', asVolumeName(ANONYMOUS));
  const anonymous = () => ({ volumeId: world.array.named(arrayName).id, arrayName });
  const db = () => ({ name: 'db', volumeId: world.volume('db').id });
  return { world, one, two, actions, arrayName, anonymous, db, looked, lock };
}

describe("an operator's work on a volume", () => {
  it('waits for what the plugin does to it', async () => {
    const { world, one, actions, db, lock } = await scene('db');
    await world.run(one.life.mount('db', 'a'));
    const gate = Promise.withResolvers<undefined>();
    const busy = lock.run('db', 'mount', limit(), () => gate.promise);
    const holders = () => [...world.volume('db').mappings.keys()];
    const forced = actions.forceRelease({ ...db(), hostId: one.sdcId, by: 'operator test' }, limit());
    const failover = { ...db(), before: 'default', policy: 'never', how: 'stand-in' } as const;
    const changed = actions.changeFailover(failover, limit());
    const released = actions.release(db(), limit());
    const refused = expect(released).rejects.toThrow('is not mapped to this host');
    await world.pass(10_000);
    expect(holders()).toEqual([one.sdcId]);
    expect(world.array.byName(`~never.${db().volumeId}`)).toBeUndefined();
    gate.resolve(undefined);
    await world.run(Promise.all([busy, forced, changed, refused]));
    expect(holders()).toEqual([]);
    expect(world.array.byName(`~never.${db().volumeId}`)).toBeDefined();
  });

  it('lets go of what somebody mapped here by hand and nobody uses, and of that alone which was shown', async () => {
    const { world, two, actions, db } = await scene('db');
    world.array.map(db().volumeId, two.sdcId, false);
    await world.pass(100);
    const other = { ...db(), volumeId: asVolumeId('f'.repeat(16)) };
    await expect(world.run(actions.release(other, limit()))).rejects.toThrow('no longer as it was shown');
    expect(world.volume('db').mappings.size).toBe(1);
    await world.run(actions.release(db(), limit()));
    expect(world.volume('db').mappings.size).toBe(0);
  });

  it("leaves the plugin's own, and what somebody uses", async () => {
    const { world, two, actions, db } = await scene('db');
    await world.run(two.life.mount('db', 'a'));
    await expect(world.run(actions.release(db(), limit()))).rejects.toThrow("is the plugin's own to release");
    await world.run(two.life.unmount('db', 'a'));
    world.array.map(db().volumeId, two.sdcId, false);
    await world.pass(100);
    two.kernel.openRaw('dd', world.volume('db'));
    await expect(world.run(actions.release(db(), limit()))).rejects.toThrow(/dd.*; stop that first/);
    expect(world.volume('db').mappings.size).toBe(1);
  });

  it('answers the record of a forced release', async () => {
    const { world, one, actions, db } = await scene('db');
    await world.run(one.life.mount('db', 'a'));
    const forced = actions.forceRelease({ ...db(), hostId: one.sdcId, by: 'operator test' }, limit());
    expect(await world.run(forced)).toMatchObject({
      by: 'operator test',
      policy: 'forced',
      outcome: 'taken',
    });
  });

  it.each([
    ['another volume of that name', { volumeId: asVolumeId('f'.repeat(16)) }],
    ['another host', { hostId: asHostId('f'.repeat(16)) }],
  ])('takes nothing that would hit %s', async (_, other) => {
    const { world, one, actions, db } = await scene('db');
    await world.run(one.life.mount('db', 'a'));
    const wanted = { ...db(), hostId: one.sdcId, by: 'operator test', ...other };
    await expect(world.run(actions.forceRelease(wanted, limit()))).rejects.toThrow(
      'no longer as it was shown',
    );
    expect([...world.volume('db').mappings.keys()]).toEqual([one.sdcId]);
  });

  it('changes a failover policy at the price that was named, and not at another', async () => {
    const { world, actions, db } = await scene('db');
    const change = { ...db(), before: 'default', policy: 'never' } as const;
    const dearer = world.run(actions.changeFailover({ ...change, how: 'rename' }, limit()));
    await expect(dearer).rejects.toThrow('no longer as it was shown');
    await world.run(actions.changeFailover({ ...change, how: 'stand-in' }, limit()));
    expect(world.array.byName(`~never.${db().volumeId}`)).toBeDefined();
    const stale = world.run(actions.changeFailover({ ...change, how: 'stand-in' }, limit()));
    await expect(stale).rejects.toThrow('no longer as it was shown');
  });

  it('removes an anonymous volume only after its label was read, and only the one it was read of', async () => {
    const { world, actions, arrayName, anonymous } = await scene(ANONYMOUS);
    const unread = world.run(actions.removeAnonymous(anonymous(), limit()));
    await expect(unread).rejects.toThrow('its label was not read since this program started');
    expect(await world.run(actions.lookIntoAnonymous(anonymous(), limit()))).toBe(ANONYMOUS);
    const other = { ...anonymous(), volumeId: asVolumeId('f'.repeat(16)) };
    await expect(world.run(actions.removeAnonymous(other, limit()))).rejects.toThrow(
      'its label was not read',
    );
    await world.run(actions.removeAnonymous(anonymous(), limit()));
    expect(world.array.byName(arrayName)).toBeUndefined();
  });

  it('looks into no volume that a call of an engine is working on, though it knows only its shortened name', async () => {
    const { world, two, actions, anonymous, looked } = await scene(ANONYMOUS);
    const mount = two.life.mount(ANONYMOUS, 'a');
    const look = actions.lookIntoAnonymous(anonymous(), limit());
    const refused = expect(look).rejects.toThrow('a host has it now');
    await world.run(mount);
    await refused;
    expect(looked).toEqual([]);
    await world.run(two.life.unmount(ANONYMOUS, 'a'));
  });
});
