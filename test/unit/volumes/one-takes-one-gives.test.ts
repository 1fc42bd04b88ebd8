import { describe, expect, it } from 'vitest';
import { explore } from './world/explore.ts';
import { race, type Answer } from './world/race.ts';
import type { World } from './world/world.ts';

const isOk = (answer: Answer | undefined): boolean => answer?.ok === true;

/** Host 1 has made the volume and has it mounted; host 2 has seen it. */
async function mountedOnFirst(world: World): Promise<void> {
  await world.run(world.host(1).life.create('db', { failover: 'never' }));
  await world.run(world.host(1).life.mount('db', 'm1'));
  await world.run(world.host(2).life.get('db'));
}

async function free(world: World): Promise<void> {
  await mountedOnFirst(world);
  await world.run(world.host(1).life.unmount('db', 'm1'));
}

const markers = (world: World): number =>
  [...world.array.volumes.values()].filter(({ kind }) => kind === 'snapshot').length;

/** A volume has its data and its policy, or is gone with both. */
function wholeOrGone(world: World): string[] {
  const expected = world.exists('db') ? 1 : 0;
  return markers(world) === expected
    ? []
    : [`volume: ${world.exists('db')}, policy markers: ${markers(world)}`];
}

describe('one host gives while another takes, in every order', () => {
  it('Unmount and Mount: the taker gets the volume or is told who has it', async () => {
    const outcomes = new Set<boolean>();
    const explored = await explore(() =>
      race(
        mountedOnFirst,
        [(life) => life.unmount('db', 'm1'), (life) => life.mount('db', 'm2')],
        ([gave, took], world) => {
          outcomes.add(isOk(took));
          const isTaken = world.volume('db').mappings.has(world.host(2).sdcId);
          return isOk(gave) && isTaken === isOk(took)
            ? []
            : [`gave ${isOk(gave)}, took ${isOk(took)}: ${isTaken}`];
        },
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(outcomes).toEqual(new Set([true, false]));
  });

  it.each([false, true])(
    'Remove and Mount: who mounts has the volume, whole (remover dies: %s)',
    async (mayDie) => {
      const explored = await explore(() =>
        race(
          free,
          [(life) => life.remove('db'), (life) => life.mount('db', 'm2')],
          ([removed, took], world) => [
            ...(isOk(took) && !world.exists('db') ? ['removed under a mount'] : []),
            ...(isOk(removed) && world.exists('db') ? ['not removed'] : []),
          ],
          { mayDie, atRest: wholeOrGone },
        ),
      );
      expect(explored.faults).toEqual([]);
      expect(explored.endings).toBeGreaterThan(2);
    },
  );

  it('Create and Mount: who mounts has a whole volume, or is told that there is none', async () => {
    const outcomes = new Set<boolean>();
    const explored = await explore(() =>
      race(
        () => Promise.resolve(),
        [(life) => life.create('db', { failover: 'never' }), (life) => life.mount('db', 'm2')],
        ([created, took], world) => {
          outcomes.add(isOk(took));
          const isWhole = !isOk(took) || world.content('db').label?.name === 'db';
          return isOk(created) && isWhole ? [] : [`created ${isOk(created)}, whole ${isWhole}`];
        },
        { atRest: wholeOrGone },
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(outcomes).toEqual(new Set([true, false]));
  });

  it('Mount and Mount of a read-only volume: both have it, and nobody is fenced', async () => {
    const explored = await explore(() =>
      race(
        async (world) => {
          await world.run(world.host(1).life.create('db', { readonly: 'true', failover: 'always' }));
          await world.run(world.host(2).life.get('db'));
        },
        [(life) => life.mount('db', 'm1'), (life) => life.mount('db', 'm2')],
        (answers, world) => [
          ...answers.flatMap((answer) => (isOk(answer) ? [] : [`answered ${JSON.stringify(answer)}`])),
          ...(world.volume('db').mappings.size === 2 && world.array.fences.length === 0
            ? []
            : ['not shared']),
        ],
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(explored.endings).toBeGreaterThan(1);
  });

  it('Unmount, Remove and Mount of a read-only volume: nobody loses what is mounted', async () => {
    const explored = await explore(() =>
      race(
        async (world) => {
          await world.run(world.host(1).life.create('db', { readonly: 'true' }));
          await world.run(world.host(2).life.get('db'));
          await world.run(world.host(1).life.mount('db', 'm1'));
        },
        [(life) => life.unmount('db', 'm1').then(() => life.remove('db')), (life) => life.mount('db', 'm2')],
        ([removed, took], world) => [
          ...(isOk(took) && !world.exists('db') ? ['removed under a mount'] : []),
          ...(isOk(removed) && world.exists('db') ? ['not removed'] : []),
        ],
      ),
    );
    expect(explored.faults).toEqual([]);
  });

  it('Remove and Remove: both succeed', async () => {
    const explored = await explore(() =>
      race(
        free,
        [(life) => life.remove('db'), (life) => life.remove('db')],
        (answers) => (answers.every(isOk) ? [] : [`answered ${JSON.stringify(answers)}`]),
        { atRest: (world) => [...wholeOrGone(world), ...(world.exists('db') ? ['not removed'] : [])] },
      ),
    );
    expect(explored.faults).toEqual([]);
  });

  it('Remove and Create: the name is free or a whole volume', async () => {
    const explored = await explore(() =>
      race(
        free,
        [(life) => life.remove('db'), (life) => life.create('db', { failover: 'never' })],
        ([removed, created]) => (isOk(removed) && isOk(created) ? [] : ['refused']),
        { atRest: wholeOrGone },
      ),
    );
    expect(explored.faults).toEqual([]);
  });
});
