import { describe, expect, it } from 'vitest';
import { trashActionsOn } from '../../../src/volumes/trash/trash-actions.ts';
import { explore } from './world/explore.ts';
import type { Life } from './world/life.ts';
import { race, type Answer } from './world/race.ts';
import { GRACE_MS, keepRemoved } from './world/scenarios.ts';
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

describe('one host removes or erases while another takes, in every order', () => {
  const grace = { signal: new AbortController().signal };
  const data = (world: World): boolean =>
    [...world.array.volumes.values()].some(
      ({ content }) => content.kind === 'filesystem' && content.files.get('precious') === 'kept',
    );
  const kept = (world: World): string[] => (data(world) ? [] : ['data lost']);
  const precious = async (world: World): Promise<void> => {
    for (const number of [1, 2]) keepRemoved(world, number);
    await world.run(world.host(1).life.create('db'));
    world.content('db').files.set('precious', 'kept');
    for (const { life } of world.hosts) {
      await world.run(life.get('db'));
      await life.host.identity.current(grace.signal);
    }
  };
  const undelete = (life: Life): Promise<unknown> =>
    trashActionsOn(life.host, life.lock, { watch: () => undefined }).undelete(
      { wanted: 'db', as: null },
      grace.signal,
    );

  it.each([false, true])(
    'Remove with a grace and Mount: nothing is lost within it (remover dies: %s)',
    async (mayDie) => {
      const explored = await explore(() =>
        race(
          precious,
          [(life) => life.remove('db'), (life) => life.mount('db', 'm2')],
          (_, world) => kept(world),
          { mayDie },
        ),
      );
      expect(explored.faults.filter((fault) => !/mapping of ~rm|journal entry ~rm/.test(fault))).toEqual([]);
    },
  );

  it('undelete and the first step of erasing: it is back with its data, or it is gone and that is said', async () => {
    const explored = await explore(() =>
      race(
        async (world) => {
          await precious(world);
          const { life } = world.host(1);
          await world.run(life.remove('db'));
          await world.run(life.reconcile());
          await world.pass(2 * GRACE_MS + 120_000);
        },
        [(life) => life.reconcile(), undelete],
        ([, back], world) => (isOk(back) && !world.exists('db') ? ['said to be back, and is not'] : []),
        { atRest: (world) => (world.exists('db') ? kept(world) : []) },
      ),
    );
    // A renaming that is carried out after undelete has read its name back: what UndeleteWatch is for.
    const late = 'host1.renameVolume: said to be back, and is not';
    expect(
      explored.faults.filter((fault) => !fault.endsWith(late) && !/journal entry ~rm/.test(fault)),
    ).toEqual([]);
    expect(explored.endings).toBeGreaterThan(1);
  });

  it('a copy and Remove of its origin: the copy is whole, or there is none', async () => {
    const explored = await explore(() =>
      race(
        precious,
        [(life) => life.remove('db'), (life) => life.create('copy', { from: 'db' })],
        ([, copied], world) => {
          if (!isOk(copied)) return [];
          const { files, label } = world.content('copy');
          return files.get('precious') === 'kept' && label?.name === 'copy' ? [] : ['copy is not whole'];
        },
        { isScheduled: (method) => !['identity', 'describePool'].includes(method) },
      ),
    );
    expect(explored.faults.filter((fault) => !/journal entry ~rm/.test(fault))).toEqual([]);
  });
});
