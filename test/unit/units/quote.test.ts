import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../../src/units/quote.ts';

describe('quote', () => {
  it.each([
    ['db', '"db"'],
    ['a"b', String.raw`"a\"b"`],
    ['a\nb\0', String.raw`"a\nb\u0000"`],
    ['a\u202Eb\u200D\u2028\u0085', String.raw`"a\u202eb\u200d\u2028\u0085"`],
    ['x'.repeat(50), `"${'x'.repeat(48)}…"`],
    ['\n'.repeat(48), `"${String.raw`\n`.repeat(24)}…"`],
  ])('writes %j as %s', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  it('is one short line for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const quoted = quote(text, 40);
        return quoted.length <= 43 && !/[\n\r\0\p{Cf}]/u.test(quoted);
      }),
    );
  });
});
