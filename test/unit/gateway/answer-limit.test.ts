import { expect, test } from 'vitest';
import { smallAnswerMs } from '../../../src/gateway/wire/answer-limit.ts';

test.each([
  [1, 15_000, 5000],
  [2, 15_000, 4000],
  [3, 15_000, 3000],
  [9, 15_000, 3000],
  [2, 1000, 1000],
])('of %i gateways that wait %i ms at most each has %i ms for a small answer', (gateways, most, each) => {
  expect(smallAnswerMs(gateways, most)).toBe(each);
});
