import { expect, test } from 'vitest';
import { Lifecycle, madeAtStart, partOf, type Part } from '../../../src/apps/lifecycle.ts';
import { turn, VirtualClock } from '../volumes/world/virtual-clock.ts';

/** Parts that note what befalls them, and the lines that were logged. */
function scene() {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const lines: string[] = [];
  const note = (_: object, message: string): void => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const part = (name: string, more: Partial<Part> = {}): Part => ({
    name,
    start: () => void seen.push(`${name} starts`),
    stop: () => void seen.push(`${name} stops`),
    ...more,
  });
  const lifecycle = (...parts: Part[]) => new Lifecycle(parts, { clock, log });
  return { clock, seen, lines, part, lifecycle };
}

test('parts start in order, each when the one before has started, and stop in reverse', async () => {
  const { seen, part, lifecycle } = scene();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const slowly = { start: () => promise.then(() => void seen.push('b starts')) };
  const all = lifecycle(part('a'), part('b', slowly), part('c'));
  const started = all.start();
  await turn();
  expect(seen).toEqual(['a starts']);
  resolve(undefined);
  await started;
  await all.stop();
  expect(seen).toEqual(['a starts', 'b starts', 'c starts', 'c stops', 'b stops', 'a stops']);
});

test('a part has stopped before the one that it leans on does', async () => {
  const { seen, part, lifecycle } = scene();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stopped = lifecycle(part('a'), part('b', { stop: () => promise.then(() => undefined) })).stop();
  await turn();
  expect(seen).toEqual([]);
  resolve(undefined);
  await stopped;
  expect(seen).toEqual(['a stops']);
});

test('when a part cannot start, none after it does, and all are stopped', async () => {
  const { seen, part, lifecycle } = scene();
  const failure = new Error('taken');
  const all = lifecycle(part('a'), part('b', { start: () => Promise.reject(failure) }), part('c'));
  await expect(all.start()).rejects.toBe(failure);
  expect(seen).toEqual(['a starts', 'c stops', 'b stops', 'a stops']);
});

test('a part that cannot stop keeps no other from it, and is told', async () => {
  const { seen, lines, part, lifecycle } = scene();
  const failure = new Error('disk full');
  const fails = {
    stop: () => {
      throw failure;
    },
  };
  await expect(lifecycle(part('a'), part('the journal', fails), part('c')).stop()).rejects.toBe(failure);
  expect(seen).toEqual(['c stops', 'a stops']);
  expect(lines).toEqual(['the journal cannot be stopped in order']);
});

test('a part that cannot start is what is told, also where another cannot stop then', async () => {
  const { lines, part, lifecycle } = scene();
  const failure = new Error('taken');
  const all = lifecycle(
    part('a', { stop: () => Promise.reject(new Error('disk full')) }),
    part('b', { start: () => Promise.reject(failure) }),
  );
  await expect(all.start()).rejects.toBe(failure);
  expect(lines).toContain('a cannot be stopped in order');
});

test('a part that hangs is left behind after its limit, and told', async () => {
  const { clock, seen, lines, part, lifecycle } = scene();
  const hangs = { stop: () => new Promise<void>(() => undefined) };
  const stopped = lifecycle(
    part('a'),
    part('the rounds', hangs),
    part('c', { ...hangs, limitMs: 1000 }),
  ).stop();
  await turn();
  clock.advance(999);
  await turn();
  expect(lines).toEqual([]);
  clock.advance(1);
  await turn();
  expect(lines).toEqual(['c has not stopped within 1 s; it is left behind']);
  clock.advance(4999);
  await turn();
  expect(seen).toEqual([]);
  clock.advance(1);
  await stopped;
  expect(seen).toEqual(['a stops']);
  expect(lines.at(-1)).toBe('the rounds has not stopped within 5 s; it is left behind');
  expect(clock.nextWakeMs).toBeUndefined();
});

test('a part that is made at the start is closed, and one that was never made is not', async () => {
  const { seen, lifecycle } = scene();
  const made = () => {
    seen.push('made');
    return { close: () => Promise.resolve(void seen.push('closed')) };
  };
  const all = lifecycle(madeAtStart('the page', made));
  await all.stop();
  expect(seen).toEqual([]);
  await all.start();
  await all.stop();
  expect(seen).toEqual(['made', 'closed']);
});

test('what starts and stops by itself is a part', async () => {
  const { seen, lifecycle } = scene();
  const all = lifecycle(
    partOf('the rounds', {
      start: () => void seen.push('starts'),
      stop: () => Promise.resolve(void seen.push('stops')),
    }),
  );
  await all.start();
  await all.stop();
  expect(seen).toEqual(['starts', 'stops']);
});
