import { describe, expect, it } from 'vitest';
import { volumeFilter } from '../../../src/cli/volume-filter.ts';
import type { ListedFacts } from '../../../src/cli/volume-facts.ts';
import { InvalidRequestError } from '../../../src/errors.ts';

const holder = { isLastKnown: false, described: '', since: null };
const facts = (name: string, more: Partial<ListedFacts>): ListedFacts => ({
  name,
  arrayName: `docker-${name}`,
  id: '1',
  sizeKiB: 8,
  usedKiB: null,
  filesystem: null,
  pool: { id: 'p1', name: 'ssd', domain: 'pd1' },
  access: 'read-write',
  mappedToAllSdcs: false,
  holders: [],
  lastFence: null,
  ...more,
});
const ALL = [
  facts('orders', {
    holders: [{ ...holder, sdcId: 's1', name: 'node1', ip: '10.0.0.1' }],
    filesystem: 'xfs',
  }),
  facts('orders-log', { pool: { id: 'p2', name: 'hdd', domain: 'pd2' } }),
  facts('atlas', { access: 'read-only', mappedToAllSdcs: true }),
];
const found = (...filters: readonly string[]): readonly string[] =>
  ALL.filter(volumeFilter(filters)).map(({ name }) => name);

describe('a filter', () => {
  it.each([
    [[], ['orders', 'orders-log', 'atlas']],
    [['name=order'], ['orders', 'orders-log']],
    [['pool=ssd'], ['orders', 'atlas']],
    [['pool=p2'], ['orders-log']],
    [['pool=pd2/hdd'], ['orders-log']],
    [['fs=xfs'], ['orders']],
    [['access=read-only'], ['atlas']],
    [['host=node1'], ['orders']],
    [['host=10.0.0.1'], ['orders']],
    [['host=s1'], ['orders']],
    [['host=node'], []],
    [['held=false'], ['orders-log']],
    [['held=true'], ['orders', 'atlas']],
    [
      ['name=log', 'name=atlas'],
      ['orders-log', 'atlas'],
    ],
    [['name=order', 'pool=ssd'], ['orders']],
    [['name==x'], []],
  ])('%j finds %j', (filters, names) => {
    expect(found(...filters)).toEqual(names);
  });

  it.each([
    ['pol=ssd', 'knows no "pol"; did you mean "pool"?'],
    ['driver=x', 'use name, pool, fs, access, host, held'],
    ['held=yes', 'cannot be "yes"; use true, false'],
    ['access=readonly', 'did you mean "read-only"?'],
    ['pool', 'not written as key=value'],
    ['pool=', 'not written as key=value'],
    ['constructor=x', 'knows no "constructor"'],
  ])('%j is refused: %s', (filter, words) => {
    expect(() => found(filter)).toThrow(InvalidRequestError);
    expect(() => found(filter)).toThrow(words);
  });
});
