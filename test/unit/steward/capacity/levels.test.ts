import { expect, test } from 'vitest';
import { levelOf, type Level } from '../../../../src/steward/capacity/levels.ts';

const LEVELS = { warn: 80, critical: 90, hysteresis: 2, warnFullWithin: 3_600_000 };

test('goes up at a threshold, and down only some points below it', () => {
  let level: Level = 'ok';
  const seen = [79.9, 80, 79, 78.1, 77.9, 90, 89, 88, 87.9, 79, 77].map((percent) => {
    level = levelOf(percent, undefined, level, LEVELS);
    return level;
  });
  expect(seen).toEqual('ok warn warn warn ok critical critical critical warn warn ok'.split(' '));
});

test('a pool that will be full soon is worth a warning, however empty it is now', () => {
  expect(levelOf(10, 3_000_000, 'ok', LEVELS)).toBe('warn');
  expect(levelOf(10, 4_000_000, 'ok', LEVELS)).toBe('ok');
  expect(levelOf(10, 1, 'ok', { ...LEVELS, warnFullWithin: undefined })).toBe('ok');
});
