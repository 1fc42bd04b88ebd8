import { expect, it } from 'vitest';
import { toldWhenSlow } from '../../../src/apps/told-when-slow.ts';
import { actionsFrom } from '../../../src/volumes/operator-actions.ts';
import { World } from '../volumes/world/world.ts';

const { signal } = new AbortController();

/** Actions that take so long, ms, and what is said meanwhile. */
function scene(lastMs: number, failure?: Error) {
  const world = new World();
  const { clock } = world;
  const lines: string[] = [];
  const slow = actionsFrom(async () => {
    await clock.sleep(lastMs, signal);
    if (failure !== undefined) throw failure;
    return undefined;
  });
  const actions = toldWhenSlow(slow, { clock, say: (line) => lines.push(line) });
  return { lines, run: () => world.run(actions.seal({ name: 'db' }, signal)) };
}

it('says nothing of what is done within a second', async () => {
  const { lines, run } = scene(900);
  await run();
  expect(lines).toEqual([]);
});

it('says after a second what is going on, then every five, and nothing once it is over', async () => {
  const { lines, run } = scene(7000);
  await run();
  expect(lines).toEqual([
    'sealing of "db" is going on, for 1 s now',
    'sealing of "db" is going on, for 6 s now',
  ]);
});

it('ends with what it fails with', async () => {
  const { lines, run } = scene(2000, new Error('no'));
  await expect(run()).rejects.toThrow('no');
  expect(lines).toHaveLength(1);
});
