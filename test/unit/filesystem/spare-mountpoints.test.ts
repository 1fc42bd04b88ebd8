import { expect, it } from 'vitest';
import { SpareMountpoints } from '../../../src/filesystem/spare-mountpoints.ts';

function spares() {
  const time = { ms: 0 };
  const limits = { ready: 2, youngMs: 100, waiting: 1 };
  return { time, spares: new SpareMountpoints(() => time.ms, limits) };
}

it('says to whoever wants one that is just being taken away that it has to be made again', async () => {
  const { spares: some } = spares();
  some.want('/a');
  some.spare('/a');
  let during: boolean | undefined;
  await some.takeAway('/a', () => {
    during = some.want('/a');
    return Promise.resolve(true);
  });
  expect(during).toBe(false);
  expect(some.want('/a')).toBe(true);
});

it('leaves one that is wanted again before its turn came', async () => {
  const { spares: some } = spares();
  some.spare('/a');
  some.want('/a');
  expect(some.due()).toEqual([]);
  await some.takeAway('/a', () => Promise.reject(new Error('taken away')));
});

it('asks for a round when too many wait, and for the longest unused, but for young ones, above its number', () => {
  const { time, spares: some } = spares();
  expect([some.spare('/a'), some.spare('/b')]).toEqual([false, true]);
  for (const name of ['/c', '/d', '/e']) some.want(name);
  expect(some.due()).toEqual(['/a', '/b']);
  time.ms = 101;
  some.want('/c');
  expect(some.due()).toEqual(['/a', '/b', '/d']);
});

it('keeps one on which something is mounted', async () => {
  const { spares: some } = spares();
  some.spare('/a');
  await some.takeAway('/a', () => Promise.resolve(false));
  expect(some.isKnown('/a')).toBe(true);
  expect(some.due()).toEqual([]);
});
