import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { formatSize, MAX_VOLUME_KIB, parseSize } from '../../../src/units/size.ts';

const GIB = 1024 ** 3;

/** Sizes that an array has are multiples of it. */
const GRAIN_KIB = 8 * 1024 * 1024;

describe('parseSize', () => {
  it.each([
    ['16', 16 * GIB],
    ['1', GIB],
    ['0.5', GIB / 2],
    ['64GiB', 64 * GIB],
    ['64gib', 64 * GIB],
    ['64 GB', 64 * GIB],
    ['64g', 64 * GIB],
    ['64Gi', 64 * GIB],
    ['1.5TiB', 1.5 * 1024 * GIB],
    ['1.50 tb', 1.5 * 1024 * GIB],
    ['512M', 512 * 1024 ** 2],
    ['4096k', 4096 * 1024],
    ['1PiB', 1024 ** 5],
    ['1024t', 1024 ** 5],
    ['8589934592b', 8 * GIB],
    ['8589934592 bytes', 8 * GIB],
    [' 8GiB ', 8 * GIB],
    ['1b', 1],
    ['00008g', 8 * GIB],
  ])('reads %j as %d bytes', (raw, bytes) => {
    expect(parseSize(raw)).toBe(bytes);
  });

  it.each([
    ['', 'is not a number'],
    ['abc', 'is not a number'],
    ['NaN', 'is not a number'],
    ['Infinity', 'is not a number'],
    ['1e3', 'is not a number'],
    ['0x10', 'is not a number'],
    ['.5g', 'is not a number'],
    ['5.', 'is not a number'],
    ['1,5g', 'is not a number'],
    ['1 000g', 'is not a number'],
    ['+1g', 'is not a number'],
    ['1g1m', 'is not a number'],
    ['1g;rm', 'is not a number'],
    ['1\n2', 'is not a number'],
    ['1'.repeat(60), 'is not a number'],
    ['10xb', 'unknown unit "xb"'],
    ['10gx', 'unknown unit "gx"'],
    ['10eib', 'unknown unit "eib"'],
    ['0', 'more than zero'],
    ['0.0GiB', 'more than zero'],
    ['-0', 'more than zero'],
    ['-5g', 'more than zero'],
    ['1025t', 'more than the largest'],
    ['1048577', 'more than the largest'],
    ['1125899906842625b', 'more than the largest'],
    ['999999999999999999999p', 'more than the largest'],
    ['0.1b', 'whole number of bytes'],
    ['0.1GiB', 'whole number of bytes'],
  ])('refuses %j because it %s', (raw, why) => {
    expect(() => parseSize(raw)).toThrow(InvalidRequestError);
    expect(() => parseSize(raw)).toThrow(why);
  });

  it('leaves the name of the size to who knows it, and stays one short line', () => {
    const read = () => parseSize(`${'x'.repeat(300)}\n`, { named: true });
    expect(read).toThrow(/^"x{40}…" [^\n]{1,100}$/);
  });

  it('can ask for a unit', () => {
    expect(() => parseSize('100', { plainUnit: 'refuse' })).toThrow('has no unit');
    expect(parseSize('100m', { plainUnit: 'refuse' })).toBe(100 * 1024 ** 2);
  });

  it('never gives anything but a whole positive number or an InvalidRequestError', () => {
    const likely = fc.stringMatching(/^-?\d{0,20}(\.\d{0,6})?\s?[kKmMgGtTpPiIbBeE]{0,3}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), likely), (raw) => {
        try {
          const bytes = parseSize(raw);
          return Number.isSafeInteger(bytes) && bytes > 0 && bytes <= 1024 ** 5;
        } catch (error) {
          return error instanceof InvalidRequestError && !error.message.includes('\n');
        }
      }),
    );
  });
});

describe('sizes in KiB', () => {
  const anySize = fc.integer({ min: 1, max: MAX_VOLUME_KIB });

  it.each([
    [64 * 1024 ** 2, '64 GiB'],
    [1.5 * 1024 ** 3, '1.5 TiB'],
    [1024, '1 MiB'],
    [1025, '1025 KiB'],
    [MAX_VOLUME_KIB, '1 PiB'],
    [0, '0 KiB'],
  ])('writes %d KiB as %s', (sizeKiB, text) => {
    expect(formatSize(sizeKiB)).toBe(text);
  });

  it('reads back what it wrote, exactly', () => {
    const grains = fc.integer({ min: 1, max: MAX_VOLUME_KIB / GRAIN_KIB }).map((count) => count * GRAIN_KIB);
    fc.assert(
      fc.property(fc.oneof(anySize, grains), (sizeKiB) => parseSize(formatSize(sizeKiB)) === sizeKiB * 1024),
    );
  });
});
