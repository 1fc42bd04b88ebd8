import { expect, test } from 'vitest';
import { ioBetween, parseBlockStat } from '../../../src/sdc/io-counters.ts';

const IDLE =
  '     10        0      80        3       20       0      160        5        0        8        8\n';
const of = { volumeId: 'v', seconds: 1 };

test('counts requests and KiB between two totals', () => {
  const busy = '12 0 96 3 25 0 2208 5 0 8 8';
  expect(ioBetween(parseBlockStat(IDLE), parseBlockStat(busy), of)).toEqual({
    ...of,
    reads: 2,
    readKiB: 8,
    writes: 5,
    writeKiB: 1024,
  });
});

test('says nothing of an idle device', () => {
  expect(ioBetween(parseBlockStat(IDLE), parseBlockStat(IDLE), of)).toBeUndefined();
});
