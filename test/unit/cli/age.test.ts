import { expect, it } from 'vitest';
import { ago, ahead } from '../../../src/cli/age.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');

it.each([
  ['2026-11-29T12:00:05Z', 'just now'],
  ['2026-11-29T12:00:00Z', 'just now'],
  ['2026-11-29T11:59:48Z', '12 s ago'],
  ['2026-11-29T11:30:00Z', '30 min ago'],
  ['2026-11-29T09:00:00Z', '3 h ago'],
  ['2026-11-27T12:00:01Z', '48 h ago'],
  ['2026-11-23T12:00:00Z', '6 d ago'],
])('%s is %s', (at, words) => {
  expect(ago(at, NOW)).toBe(words);
});

it.each([
  ['2026-11-29T11:00:00Z', 'now'],
  ['2026-11-29T12:00:30Z', 'in 30 s'],
  ['2026-11-30T12:00:00Z', 'in 24 h'],
  ['2026-12-06T12:00:00Z', 'in 7 d'],
])('%s comes %s', (at, words) => {
  expect(ahead(at, NOW)).toBe(words);
});
