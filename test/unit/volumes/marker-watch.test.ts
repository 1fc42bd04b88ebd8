import { describe, expect, it } from 'vitest';
import { findUnmarked, markedPolicy } from '../../../src/volumes/takeover/failover-marker.ts';
import { VolumeOperator } from '../../../src/volumes/takeover/operator.ts';
import { World } from './world/world.ts';

const HOUR_MS = 3_600_000;

/** Volumes made with a policy and mounted on host 1; what clean-ups of snapshots do to their markers. */
async function scene(names: readonly string[] = ['db'], failover = 'never') {
  const world = new World(2);
  const { life } = world.host(1);
  for (const name of names) {
    await world.run(life.create(name, { failover }));
    await world.run(life.mount(name, 'a'));
  }
  const round = async (): Promise<{ unmarked: readonly string[]; calls: Record<string, number> }> => {
    life.gateway.calls.clear();
    const { unmarked } = await world.run(life.reconcile());
    return { unmarked, calls: Object.fromEntries(life.gateway.calls) };
  };
  const loseMarker = (name: string): void => {
    for (const { id, name: marker } of [...world.array.volumes.values()])
      if (marker.startsWith('~') && marker.endsWith(world.volume(name).id)) world.array.remove(id);
  };
  const status = async (): Promise<unknown> => (await world.run(life.get('db'))).status['failoverMarker'];
  const warned = (): number =>
    life.lines.filter((line) => line.includes('marker of its failover policy')).length;
  return { world, life, round, loseMarker, status, warned };
}

describe('rule 16: the marker of a failover policy', () => {
  it('is looked for once after the Mount and hourly, and a quiet round stays one call', async () => {
    const { world, life, round, status } = await scene();
    expect([life.host.markers.isDue(), await status()]).toEqual([true, null]);
    expect(await round()).toEqual({ unmarked: [], calls: { volumesOfHost: 1, volumesOfFamily: 1 } });
    expect([life.host.markers.isDue(), await status()]).toEqual([false, 'there']);
    expect((await round()).calls).toEqual({ volumesOfHost: 1 });
    // The list of provisional volumes falls into this hour, too.
    await world.pass(HOUR_MS - 1);
    expect((await round()).calls).toEqual({ volumesOfHost: 1, listVolumes: 1 });
    await world.pass(1);
    expect((await round()).calls).toEqual({ volumesOfHost: 1, volumesOfFamily: 1 });
    await world.run(life.unmount('db', 'a'));
    expect(await status()).toBeNull();
    await round();
    expect(life.host.markers.stateOf(world.volume('db').id)).toBeUndefined();
    await world.run(life.mount('db', 'b'));
    expect((await round()).calls).toEqual({ volumesOfHost: 1, volumesOfFamily: 1 });
  });

  it('is told of when it is gone, in log and status, at most hourly, and never put back', async () => {
    const { world, life, round, loseMarker, status, warned } = await scene();
    loseMarker('db');
    expect((await round()).unmarked).toEqual(['db']);
    expect([await status(), warned()]).toEqual(['missing', 1]);
    expect(await round()).toEqual({ unmarked: ['db'], calls: { volumesOfHost: 1 } });
    await world.run(life.unmount('db', 'a'));
    expect((await round()).unmarked).toEqual([]);
    await world.run(life.mount('db', 'b'));
    expect((await round()).unmarked).toEqual(['db']);
    expect(warned()).toBe(1);
    await world.pass(HOUR_MS);
    await round();
    expect(warned()).toBe(2);
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual(['docker-db']);
  });

  it.each(['default', 'disconnected', 'never'] as const)(
    'is there again once the command gave the volume "%s", whatever the label says',
    async (policy) => {
      const { world, life, round, loseMarker } = await scene(['db'], 'always');
      if (policy === 'never') loseMarker('db');
      const operator = new VolumeOperator(life.host, life.host.policy);
      const { signal } = life.call();
      const plan = await world.run(operator.planPolicy('db', policy, signal));
      await world.run(operator.changePolicy(plan, signal));
      expect((await round()).unmarked).toEqual([]);
    },
  );

  it('is seen within a minute when it was put back, in report and status', async () => {
    const { world, life, round, loseMarker, status, warned } = await scene(['db'], 'always');
    loseMarker('db');
    expect((await round()).unmarked).toEqual(['db']);
    const operator = new VolumeOperator(life.host, life.host.policy);
    const { signal } = life.call();
    const plan = await world.run(operator.planPolicy('db', 'always', signal));
    await world.run(operator.changePolicy(plan, signal));
    // Rounds that calls hurry along do not look each time.
    expect(await round()).toEqual({ unmarked: ['db'], calls: { volumesOfHost: 1 } });
    expect([life.host.markers.isDue(), await status()]).toEqual([false, 'missing']);
    await world.pass(60_000);
    expect(life.host.markers.isDue()).toBe(true);
    expect((await round()).unmarked).toEqual([]);
    expect([life.host.markers.isDue(), await status(), warned()]).toEqual([false, 'there', 1]);
    await world.pass(60_000);
    expect((await round()).calls).toEqual({ volumesOfHost: 1 });
  });

  it('is looked for in one list where many volumes are due', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { round, loseMarker } = await scene(names, 'always');
    loseMarker('c');
    expect(await round()).toEqual({ unmarked: ['c'], calls: { volumesOfHost: 1, listVolumes: 1 } });
  });

  it('is not asked for where the volume was made without one, nor by the label of its origin', async () => {
    const { world, life, round, loseMarker } = await scene();
    await world.run(life.create('plain'));
    await world.run(life.mount('plain', 'p'));
    world.array.snapshot(world.volume('db').id, 'docker-clone', 0);
    await world.run(life.mount('clone', 'c'));
    loseMarker('db');
    expect((await round()).unmarked).toEqual(['db']);
  });

  it('is not missing because the array does not answer, or answers about another volume', async () => {
    const { world, life, round, warned } = await scene(['db'], 'always');
    const right = life.gateway.volumesOfFamily.bind(life.gateway);
    life.gateway.volumesOfFamily = () => Promise.resolve([]);
    expect((await round()).unmarked).toEqual([]);
    life.gateway.volumesOfFamily = right;
    await world.pass(HOUR_MS);
    life.gateway.volumesOfFamily = (id, signal) => {
      world.host(1).gatewayUp = false;
      return right(id, signal).finally(() => (world.host(1).gatewayUp = true));
    };
    expect((await round()).unmarked).toEqual([]);
    expect([warned(), life.host.markers.isDue()]).toEqual([0, false]);
    await world.pass(60_000);
    expect(life.host.markers.isDue()).toBe(true);
  });
});

it('is not asked for where the volume is only read, and so is never taken', async () => {
  const { world, life, round, loseMarker } = await scene([]);
  await world.run(life.create('db', { failover: 'never', readonly: 'true' }));
  await world.run(life.mount('db', 'a'));
  loseMarker('db');
  expect(await round()).toEqual({ unmarked: [], calls: { volumesOfHost: 1 } });
});

describe('what counts as a marker', () => {
  async function marked() {
    const { world } = await scene(['db', 'other'], 'always');
    const { array } = world;
    const [db, other] = [world.volume('db'), world.volume('other')];
    for (const { id, name } of [...array.volumes.values()]) if (name.startsWith('~')) array.remove(id);
    const describe = () => [db, other].map((volume) => array.describe(volume));
    const listVolumes = (passes: (name: string) => boolean) =>
      Promise.resolve(
        [...array.volumes.values()].filter(({ name }) => passes(name)).map((one) => array.describe(one)),
      );
    const { signal } = new AbortController();
    const unmarked = async (): Promise<string[]> => [
      ...(await findUnmarked({ listVolumes }, describe(), signal)),
    ];
    const add = (name: string, kind: 'thin' | 'snapshot'): void => {
      array.add({ name, kind, storagePoolId: db.storagePoolId, createdAtSeconds: 0 });
    };
    return { db, other, add, unmarked, array };
  }

  it('in a list: a snapshot of any policy, and a stand-in of "never" alone', async () => {
    const { db, other, add, unmarked } = await marked();
    expect(await unmarked()).toEqual([db.id, other.id]);
    add(`~always.${db.id}`, 'thin');
    expect(await unmarked()).toEqual([db.id, other.id]);
    add(`~never.${other.id}`, 'thin');
    expect(await unmarked()).toEqual([db.id]);
    add(`~idle.${db.id}`, 'snapshot');
    expect(await unmarked()).toEqual([]);
  });

  it('in a V-tree: only a snapshot, and of this very volume', async () => {
    const { db, other, add, array } = await marked();
    add(`~always.${db.id}`, 'thin');
    add(`~always.${other.id}`, 'snapshot');
    const family = [...array.volumes.values()].map((volume) => array.describe(volume));
    expect(markedPolicy(array.describe(db), family)).toBeUndefined();
    expect(markedPolicy(array.describe(other), family)).toBe('always');
  });
});

describe('a clone: a snapshot that goes by a name of its own', () => {
  async function cloned(failover: string) {
    const { world, life } = await scene(['db'], failover);
    const [one, two] = [world.host(1), world.host(2)];
    two.mayFence = true;
    world.array.snapshot(world.volume('db').id, 'docker-clone', 0);
    // Both hosts have read its label, which is the origin's.
    await world.run(two.life.mount('clone', 'seen'));
    await world.run(two.life.unmount('clone', 'seen'));
    await world.run(life.mount('clone', 'c'));
    const holders = (): string[] => [...world.volume('clone').mappings.keys()];
    return { world, one, two, life, holders };
  }

  it('is not taken from a host that is alive because its origin may be', async () => {
    const { world, one, two, holders } = await cloned('always');
    await expect(world.run(two.life.mount('clone', 'x'))).rejects.toThrow('failover policy "disconnected"');
    expect(holders()).toEqual([one.sdcId]);
  });

  it("does not inherit its origin's never, and keeps its own when the origin goes", async () => {
    const { world, one, two, life, holders } = await cloned('never');
    const operator = new VolumeOperator(two.life.host, two.life.host.policy);
    const { signal } = two.life.call();
    await world.run(
      operator.planPolicy('clone', 'never', signal).then((plan) => operator.changePolicy(plan, signal)),
    );
    await world.run(life.unmount('db', 'a'));
    await world.run(life.remove('db'));
    one.powerOff();
    await expect(world.run(two.life.mount('clone', 'x'))).rejects.toThrow('failover policy "never"');
    expect(holders()).toEqual([one.sdcId]);
    world.array.remove(world.array.named(`~never.${world.volume('clone').id}`).id);
    await world.run(two.life.mount('clone', 'x'));
    expect(holders()).toEqual([two.sdcId]);
  });
});
