import { describe, expect, it } from 'vitest';
import { explore, Scheduler, type Story } from './world/explore.ts';
import type { Life } from './world/life.ts';
import { World } from './world/world.ts';

const mountedForA = async (world: World): Promise<void> => {
  const { life, kernel } = world.host(1);
  kernel.bind('a', await world.run(life.mount('db', 'a')));
};

/** Two things at once on one host that has made the volume "db" and is then prepared. */
async function atOnce(
  works: readonly ((life: Life) => Promise<unknown>)[],
  afterwards: (world: World, answers: readonly string[]) => Promise<string[]>,
  prepare = mountedForA,
): Promise<Story> {
  const world = new World();
  const host = world.host(1);
  const { life } = host;
  await world.run(life.create('db'));
  await prepare(world);
  const scheduler = new Scheduler();
  life.steps.hook = scheduler.hookFor(host);
  const answers: string[] = works.map(() => 'none');
  works.forEach((work, index) => {
    work(life).then(
      () => (answers[index] = 'ok'),
      (cause: unknown) => (answers[index] = String(cause)),
    );
  });
  const ending = async (): Promise<string[]> => {
    scheduler.open();
    return afterwards(world, answers);
  };
  return { world, scheduler, ending };
}

describe('calls and the reconciler at once on one host, in every order', () => {
  it.each([
    { name: 'Mount', work: (life: Life) => life.mount('db', 'b') },
    { name: 'Get', work: (life: Life) => life.get('db') },
  ])('$name while the last container leaves: what was answered can be used', async ({ name, work }) => {
    const explored = await explore(() =>
      atOnce(
        [(life) => life.unmount('db', 'a'), work, (life) => life.reconcile()],
        async (world, answers) => {
          const { kernel, life } = world.host(1);
          kernel.write('a', 'still', 'held');
          kernel.letGo('a');
          if (name === 'Mount') {
            kernel.bind('b', await world.run(life.driver.path('db')));
            kernel.write('b', 'file', 'data');
            kernel.letGo('b');
            await world.run(life.unmount('db', 'b'));
          }
          await world.reconcileAll();
          return [...answers.filter((answer) => answer !== 'ok'), ...world.leaks()];
        },
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(explored.endings).toBeGreaterThan(0);
  });

  it('Mount while the reconciler is busy with another volume: an old list of mappings takes nothing away', async () => {
    const otherToRelease = async (world: World): Promise<void> => {
      const host = world.host(1);
      await world.run(host.life.create('other'));
      await world.run(host.life.mount('other', 'o'));
      host.gatewayUp = false;
      await world.run(host.life.unmount('other', 'o'));
      host.gatewayUp = true;
    };
    const explored = await explore(() =>
      atOnce(
        [(life) => life.mount('db', 'b'), (life) => life.reconcile()],
        async (world, answers) => {
          const { kernel, life } = world.host(1);
          kernel.bind('b', await world.run(life.driver.path('db')));
          kernel.write('b', 'file', 'data');
          kernel.letGo('b');
          await world.run(life.unmount('db', 'b'));
          await world.reconcileAll();
          return [...answers.filter((answer) => answer !== 'ok'), ...world.leaks()];
        },
        otherToRelease,
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(explored.endings).toBeGreaterThan(1);
  });

  it('Remove, Create and the reconciler: one of the two had the last word', async () => {
    const explored = await explore(() =>
      atOnce(
        [(life) => life.remove('db'), (life) => life.create('db'), (life) => life.reconcile()],
        async (world, [, created]) => {
          world.host(1).kernel.letGo('a');
          await world.run(world.host(1).life.unmount('db', 'a'));
          await world.reconcileAll();
          return [...(created === 'ok' ? [] : [String(created)]), ...world.leaks()];
        },
      ),
    );
    expect(explored.faults).toEqual([]);
  });
});
