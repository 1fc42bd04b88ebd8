import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eachElement, JsonArraySplitter, SLICE_BYTES } from '../../../src/gateway/wire/json-array.ts';

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let from = 0;
  for (const place of [...places, bytes.length]) {
    yield await Promise.resolve(bytes.subarray(from, place));
    from = place;
  }
}

async function read(bytes: Uint8Array, cuts: readonly number[] = []): Promise<unknown[]> {
  const elements: unknown[] = [];
  await eachElement(
    inPieces(bytes, cuts),
    (element) => elements.push(element),
    () => Promise.resolve(),
  );
  return elements;
}

test('any JSON array cut anywhere gives the elements that JSON.parse gives', async () => {
  const spacing = fc.constantFrom(undefined, 1, '\t', ' \r\n');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue({ stringUnit: 'binary' })),
      fc.array(fc.nat(2000), { maxLength: 20 }),
      spacing,
      async (array, cuts, space) => {
        const text = ` \n${JSON.stringify(array, null, space)}\r\n `;
        expect(await read(Buffer.from(text), cuts)).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 200 },
  );
});

test('so does a list of objects, whatever looks like the place between two of them', async () => {
  const tricky = fc.constantFrom('},{', '"},{"', '{"a":1},{"b":2}', '\\\\"},{', '🐳},{é');
  const value = fc.oneof(tricky, fc.array(fc.record({ a: tricky }), { maxLength: 3 }), fc.integer());
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: tricky, links: value, more: value }), { maxLength: 12 }),
      fc.array(fc.nat(2000), { maxLength: 20 }),
      fc.boolean(),
      async (array, cuts, isBroken) => {
        const text = JSON.stringify(array);
        if (!isBroken) expect(await read(Buffer.from(text), cuts)).toEqual(array);
        else await expect(read(Buffer.from(text.slice(0, -1)), cuts)).rejects.toThrow(SyntaxError);
      },
    ),
    { numRuns: 300 },
  );
});

test('escapes, brackets in strings and many-byte characters survive a cut at every byte', async () => {
  const array = [
    { name: '"]},[{\\\\"\\', emoji: '🐳é\u2028', nested: [{}, [], 'x]'] },
    'a,b',
    1.5e3,
    null,
    true,
  ];
  const bytes = Buffer.from(JSON.stringify(array));
  for (let cut = 0; cut <= bytes.length; cut += 1) expect(await read(bytes, [cut])).toEqual(array);
  const everywhere = Array.from(bytes.keys());
  expect(await read(bytes, everywhere)).toEqual(array);
});

test.each([
  '',
  ' ',
  '[',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[,]',
  '[1}',
  '[1]]',
  '[1] x',
  '{"a":1}',
  '"x"',
  'nul',
  '<html>',
])('what is no complete JSON array is refused: %j', async (text) => {
  await expect(read(Buffer.from(text))).rejects.toThrow(SyntaxError);
  await expect(
    read(
      Buffer.from(text),
      Array.from(text).map((_, index) => index),
    ),
  ).rejects.toThrow(SyntaxError);
});

test('null and nothing are no list', async () => {
  await expect(read(Buffer.from(' null\n'))).rejects.toThrow(SyntaxError);
  await expect(read(Buffer.from('null'), [1, 2, 3])).rejects.toThrow(SyntaxError);
  await expect(read(Buffer.from(''))).rejects.toThrow(SyntaxError);
});

test('takes a pause in every slice, however the bytes arrive', async () => {
  const element = JSON.stringify({ name: 'x'.repeat(1000) });
  const bytes = Buffer.from(`[${Array.from({ length: 3000 }, () => element).join(',')}]`);
  const ways = { whole: [], pieces: Array.from({ length: 500 }, (_, index) => index * 6007) };
  for (const cuts of Object.values(ways)) {
    const perPause: number[] = [0];
    await eachElement(
      inPieces(bytes, cuts),
      () => {
        perPause[perPause.length - 1] = (perPause.at(-1) ?? 0) + 1;
      },
      () => Promise.resolve(void perPause.push(0)),
    );
    expect(perPause.reduce((sum, taken) => sum + taken)).toBe(3000);
    expect(perPause.length).toBe(Math.floor(bytes.length / SLICE_BYTES) + 1);
    // One more than fits, for the element that the slice before cut in two.
    expect(Math.max(...perPause)).toBeLessThanOrEqual(SLICE_BYTES / (element.length + 1) + 1);
  }
});

test('keeps no more than the element that is not complete yet', () => {
  const splitter = new JsonArraySplitter();
  expect(splitter.push(Buffer.from('[{"a":1},{"b":'))).toEqual([{ a: 1 }]);
  expect(splitter.push(Buffer.from('2},3'))).toEqual([{ b: 2 }]);
  expect(splitter.push(Buffer.from('4]'))).toEqual([34]);
  splitter.end();
});
