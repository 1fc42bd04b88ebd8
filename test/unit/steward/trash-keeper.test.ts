import { expect, it } from 'vitest';
import type { PolicyId, VolumeId } from '../../../src/array/ids.ts';
import { AuditTrail } from '../../../src/steward/audit.ts';
import { TrashKeeper, type TrashRules } from '../../../src/steward/cleanup/trash-keeper.ts';
import type { PoolLevel } from '../../../src/steward/ports.ts';
import { goneName, isInTrash } from '../../../src/volumes/trash/trash-names.ts';
import { silentLog } from '../sdc/silent-log.ts';
import { keepRemoved } from '../volumes/world/scenarios.ts';
import { World } from '../volumes/world/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Host 1 has removed these, one a minute, and is gone since; a steward keeps the trash of an array that is so full. */
async function scene(names: readonly string[], rules: Partial<TrashRules> = {}, usedPercent = 50) {
  const world = new World(2);
  keepRemoved(world);
  const { life } = world.host(1);
  for (const name of names) {
    await world.run(life.create(name, { failover: 'always' }));
    await world.run(life.remove(name));
    await world.pass(MINUTE_MS);
  }
  const array = world.host(2).life.gateway;
  const audit = new AuditTrail({ clock: world.clock, log: silentLog });
  const keeper = new TrashKeeper(
    { array, clock: { ...clockOf(world) }, audit, log: silentLog },
    {
      act: true,
      erases: true,
      prefix: 'docker-',
      graceMs: DAY_MS,
      every: 10 * MINUTE_MS,
      leastAge: HOUR_MS,
      ...rules,
    },
  );
  const [stored] = world.array.volumes.values();
  if (stored === undefined) throw new Error('nothing was removed');
  const levels: PoolLevel[] = [{ id: stored.storagePoolId, usedPercent }];
  const rounds = async (forMs: number): Promise<void> => {
    for (let passed = 0; passed < forMs; passed += 10 * MINUTE_MS) {
      await world.run(keeper.round(levels, new AbortController().signal));
      await world.pass(10 * MINUTE_MS);
    }
  };
  const kept = (): string[] => [...world.array.volumes.values()].map(({ name }) => name).filter(isInTrash);
  return { world, keeper, audit, rounds, kept, id: stored.id, levels };
}

function clockOf({ clock }: World) {
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    randomHex: () => '0',
    sleep: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
  };
}

const nameOf = (world: World, id: VolumeId): string | undefined => world.array.volumes.get(id)?.name;

it('erases for all hosts what is over its time, with its marker, and not before', async () => {
  const { world, keeper, rounds, kept, audit } = await scene(['db']);
  await rounds(DAY_MS - 10 * MINUTE_MS);
  expect(kept()).toHaveLength(1);
  expect(keeper.held).toMatchObject([{ volumes: 1, sizeKiB: 16 * 1024 * 1024 }]);
  await rounds(HOUR_MS);
  expect(world.array.volumes.size).toBe(0);
  expect(keeper.held).toEqual([]);
  expect(audit.last.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
});

it('reads what the trash holds, and erases nothing where the policy does not say so', async () => {
  const { keeper, rounds, kept, audit } = await scene(['db', 'web'], { erases: false, eraseAbove: 10 }, 95);
  expect(keeper.held).toBeUndefined();
  await rounds(3 * DAY_MS);
  expect(kept()).toHaveLength(2);
  expect(keeper.held).toMatchObject([{ volumes: 2, sizeKiB: 32 * 1024 * 1024 }]);
  expect(audit.last).toEqual([]);
});

it('waits for longer than any call can be late between the two steps', async () => {
  const { world, rounds, id } = await scene(['db'], { every: MINUTE_MS });
  await rounds(HOUR_MS + 10 * MINUTE_MS);
  world.array.rename(id, goneName('docker-', id));
  await rounds(10 * MINUTE_MS);
  expect(nameOf(world, id)).toBe(goneName('docker-', id));
  await rounds(20 * MINUTE_MS);
  expect(nameOf(world, id)).toBeUndefined();
});

it('has seen it itself for an hour, wherever the clock is set', async () => {
  const { world, rounds, kept } = await scene(['db']);
  world.clock.setBy(30 * DAY_MS);
  await rounds(HOUR_MS);
  expect(kept()).toHaveLength(1);
  await rounds(10 * MINUTE_MS);
  expect(kept()).toHaveLength(0);
});

it('leaves what a host has, what was brought back, and what is not of its prefix', async () => {
  const { world, rounds, id } = await scene(['db']);
  world.array.map(id, world.host(2).sdcId, false);
  await rounds(2 * DAY_MS);
  expect(isInTrash(nameOf(world, id) ?? '')).toBe(true);
  world.array.unmap(id, world.host(2).sdcId, world.host(2).sdcId);
  world.array.rename(id, 'docker-db');
  await rounds(2 * DAY_MS);
  expect(nameOf(world, id)).toBe('docker-db');
  const other = await scene(['db'], { prefix: 'swarm-' });
  await other.rounds(2 * DAY_MS);
  expect(other.kept()).toHaveLength(1);
});

it('says in a dry run what it would do, and does nothing', async () => {
  const { rounds, kept, audit } = await scene(['db'], { act: false, eraseAbove: 10 });
  await rounds(2 * DAY_MS);
  expect(kept()).toHaveLength(1);
  expect(audit.last.map(({ outcome }) => outcome)).toEqual(['planned']);
});

it('takes a volume off the policy that snapshots it', async () => {
  const { world, rounds, id } = await scene(['db']);
  const volume = world.array.volumes.get(id);
  if (volume !== undefined) volume.policyId = 'f000000000000001' as PolicyId;
  await rounds(2 * DAY_MS);
  expect(nameOf(world, id)).toBeUndefined();
});

it('erases nothing before its time for a full pool unless the policy says so', async () => {
  const { rounds, kept } = await scene(['db'], {}, 99);
  await rounds(12 * HOUR_MS);
  expect(kept()).toHaveLength(1);
});

it('erases the longest removed first for a full pool, one at a time, and nothing that is too young', async () => {
  const { world, rounds, kept, levels } = await scene(['one', 'two', 'three'], { eraseAbove: 90 }, 95);
  await rounds(HOUR_MS);
  expect(kept()).toHaveLength(3);
  await rounds(10 * MINUTE_MS);
  expect(kept().map((name) => name.split('.').at(-1))).toEqual(['two', 'three']);
  await rounds(10 * MINUTE_MS);
  // The first is removed in this round, and until the pool has been read again the second stays.
  expect(kept()).toHaveLength(2);
  levels.splice(0, 1, { ...(levels[0] ?? { id: '' as never }), usedPercent: 80 });
  await rounds(12 * HOUR_MS);
  expect(kept()).toHaveLength(2);
  expect(world.array.volumes.size).toBe(4);
});

it('erases for a full pool nothing that is younger than the policy wants', async () => {
  const { rounds, kept } = await scene(['one'], { eraseAbove: 90, leastAge: 5 * HOUR_MS }, 95);
  await rounds(4 * HOUR_MS);
  expect(kept()).toHaveLength(1);
  await rounds(2 * HOUR_MS);
  expect(kept()).toEqual([]);
});
