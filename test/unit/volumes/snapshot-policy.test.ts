import { describe, expect, it } from 'vitest';
import type { SnapshotPolicy } from '../../../src/array/copies.ts';
import { asPolicyId } from '../../../src/array/ids.ts';
import { describePoint } from './world/steps.ts';
import { operate } from './world/scenarios.ts';
import { World } from './world/world.ts';

const policy = (number: number, name: string, isActive = true): SnapshotPolicy => ({
  id: asPolicyId(`500000000000000${number}`),
  name,
  isActive,
  cadenceMinutes: 60,
  retained: [7],
  access: 'ReadOnly',
  isSecure: false,
  lastTakenAtSeconds: null,
  nextAtSeconds: null,
});
const [DAILY, HOURLY] = [policy(1, 'daily'), policy(2, 'hourly', false)];

/** An array with two policies. */
function scene(version = '3.6') {
  const world = new World();
  world.array.version = version;
  for (const one of [DAILY, HOURLY]) world.array.policies.set(one.id, one);
  const { life } = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  const change = (set: { policy: string | null } | null) =>
    run(operate(world).snapshotPolicy({ name: 'db', set }, life.call().signal));
  return { world, life, run, change };
}

describe('the policy that takes snapshots of a volume', () => {
  it('is given to a new one, before it has its name, and belongs to it when Create is repeated', async () => {
    const { world, life, run } = scene();
    await run(life.create('db', { 'snapshot-policy': 'daily' }));
    expect(world.volume('db').policyId).toBe(DAILY.id);
    await run(life.create('db', { 'snapshot-policy': 'daily' }));
    await run(life.create('db'));
    await expect(run(life.create('db', { 'snapshot-policy': 'hourly' }))).rejects.toThrow(
      `it has snapshot policy "${DAILY.id}", "hourly" was asked for`,
    );
    expect((await run(life.get('db'))).status).toMatchObject({ snapshotPolicy: DAILY.id });
    await run(life.create('plain'));
    await expect(run(life.create('plain', { 'snapshot-policy': 'daily' }))).rejects.toThrow(
      'it has no snapshot policy, "daily" was asked for',
    );
  });

  it('is refused before anything is made where the array has none of the name, or no policies', async () => {
    const { world, life, run } = scene();
    await expect(run(life.create('db', { 'snapshot-policy': 'dayly' }))).rejects.toThrow('dayly');
    const older = scene('2.6');
    await expect(older.run(older.life.create('db', { 'snapshot-policy': 'daily' }))).rejects.toThrow(
      '3.0 or later',
    );
    expect([world.array.volumes.size, older.world.array.volumes.size]).toEqual([0, 0]);
  });

  it('leaves nothing at any step at which its Create ends', async () => {
    const { life, run } = scene();
    await run(life.create('db', { 'snapshot-policy': 'daily' }));
    for (const { number } of life.steps.points) {
      const other = scene();
      other.life.steps.hook = (point) => (point.number === number ? 'die' : 'go');
      await other.world.runToEnd(other.life.create('db', { 'snapshot-policy': 'daily' }), other.life);
      const next = other.world.host(1).restart();
      await other.world.reconcileAll();
      const at = life.steps.points[number - 1];
      const where = at === undefined ? '' : describePoint(at);
      expect(other.world.leaks(), where).toEqual([]);
      await other.run(next.create('db', { 'snapshot-policy': 'daily' }));
      expect(other.world.volume('db').policyId, where).toBe(DAILY.id);
    }
  });

  it('is changed and taken away, and its snapshots stay', async () => {
    const { world, life, run, change } = scene();
    await run(life.create('db'));
    expect(await change(null)).toEqual({ policy: null, isActive: null, before: null });
    expect(await change({ policy: 'daily' })).toEqual({ policy: 'daily', isActive: true, before: null });
    expect(await change({ policy: 'hourly' })).toEqual({
      policy: 'hourly',
      isActive: false,
      before: 'daily',
    });
    expect(await change({ policy: 'hourly' })).toMatchObject({ before: 'hourly' });
    expect(await change(null)).toEqual({ policy: 'hourly', isActive: false, before: 'hourly' });
    await expect(change({ policy: 'none-such' })).rejects.toThrow('none-such');
    expect(world.volume('db').policyId).toBe(HOURLY.id);
    expect(await change({ policy: null })).toEqual({ policy: null, isActive: null, before: 'hourly' });
    expect(world.volume('db').policyId).toBeNull();
  });

  it('is one in a family', async () => {
    const { world, life, run } = scene();
    await run(life.create('db', { 'snapshot-policy': 'daily' }));
    await expect(run(life.create('copy', { from: 'db', 'snapshot-policy': 'hourly' }))).rejects.toThrow(
      'the array allows one in a family',
    );
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual(['docker-db']);
  });

  it('is left by a volume that is removed', async () => {
    const { world, life, run } = scene();
    await run(life.create('db', { 'snapshot-policy': 'daily' }));
    await run(life.remove('db'));
    expect(world.array.volumes.size).toBe(0);
  });
});
