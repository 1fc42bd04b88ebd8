import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/units/nearest.ts';

const known = ['size', 'pool', 'domain', 'provisioning', 'fs', 'mount', 'mode'];

describe('nearest', () => {
  it.each([
    ['sise', 'size'],
    ['szie', 'size'],
    ['siz', 'size'],
    ['ssize', 'size'],
    ['POOL', 'pool'],
    ['provisoning', 'provisioning'],
    ['f', 'fs'],
    ['mout', 'mount'],
  ])('takes %j for %j', (wanted, meant) => {
    expect(nearest(wanted, known)).toBe(meant);
  });

  it.each(['', 'encrypted', 'xyz', 'a'.repeat(1000)])('finds nothing near %j', (wanted) => {
    expect(nearest(wanted, known)).toBeUndefined();
  });

  it('takes of two that are as near the one that begins more like it, whatever their order', () => {
    const words = ['SCALEIO_SIZE', 'SCALEIO_FS'];
    expect(nearest('SCALEIO_FSTYPE', words)).toBe('SCALEIO_FS');
    expect(nearest('SCALEIO_FSTYPE', words.toReversed())).toBe('SCALEIO_FS');
  });

  it('finds a known word itself, always', () => {
    fc.assert(fc.property(fc.constantFrom(...known), (word) => nearest(word, known) === word));
  });
});
