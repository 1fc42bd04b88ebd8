import { describe, expect, test } from 'vitest';
import { sdcNameBeside, sdcNameFor } from '../../../src/join/sdc-name.ts';

describe('sdcNameFor', () => {
  test.each([
    ['{host}', 'node-1', 'node-1'],
    ['{host}', 'node-1.example.com', 'node-1'],
    ['swarm-{host}', 'node-1', 'swarm-node-1'],
    ['fixed', 'node-1', 'fixed'],
    ['{host}', 'nöde 1', 'n-de-1'],
  ])('%s on %s is %s', (template, host, name) => {
    expect(sdcNameFor(template, host)).toBe(name);
  });

  test('a name of 31 characters is whole, a longer one ends in a hash that tells hosts apart', () => {
    expect(sdcNameFor('{host}', 'a'.repeat(31))).toBe('a'.repeat(31));
    const [one, other] = ['1', '2'].map((end) => sdcNameFor('{host}', `${'a'.repeat(40)}${end}`));
    expect(one).toMatch(/^a{24}~[0-9a-f]{6}$/);
    expect(other).not.toBe(one);
  });
});

test('sdcNameBeside is another name of allowed length, the same for the same GUID', () => {
  const name = 'b'.repeat(31);
  const [one, again, other] = ['G1', 'G1', 'G2'].map((guid) => sdcNameBeside(name, guid));
  expect(one).toHaveLength(31);
  expect(again).toBe(one);
  expect(other).not.toBe(one);
  expect(sdcNameBeside('n', 'G1')).toMatch(/^n~[0-9a-f]{6}$/);
});
