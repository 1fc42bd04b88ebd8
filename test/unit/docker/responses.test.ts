import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { failed, volume, volumes } from '../../../src/docker/protocol/responses.ts';

const parse = (body: Buffer) => JSON.parse(body.toString()) as unknown;
const found = { name: 'db', mountpoint: '/mounts/db', createdAt: undefined, status: {} };

describe('the answer to Get', () => {
  it('bears the name that was asked for, which the engine takes over', () => {
    expect(parse(volume('asked', found))).toEqual({
      Volume: { Name: 'asked', Mountpoint: '/mounts/db', Status: {} },
    });
  });

  it('dates the volume in RFC 3339', () => {
    const body = volume('db', { ...found, createdAt: new Date(1_700_000_000_000) });
    expect(parse(body)).toMatchObject({ Volume: { CreatedAt: '2023-11-14T22:13:20.000Z' } });
  });

  it.each([new Date(Number.NaN), new Date(Date.UTC(10_000, 0)), new Date(Date.UTC(-1, 0)), undefined])(
    'rather leaves out the date %s, which Docker could not read',
    (createdAt) => {
      expect(parse(volume('db', { ...found, createdAt }))).toEqual({
        Volume: expect.not.objectContaining({ CreatedAt: expect.anything() as unknown }) as unknown,
      });
    },
  );
});

describe('the answer to List', () => {
  it('holds every volume once and in order, whatever their number and names', async () => {
    const listed = fc.array(fc.record({ name: fc.string({ unit: 'binary' }), mountpoint: fc.string() }));
    await fc.assert(
      fc.asyncProperty(listed, fc.constantFrom(1, 250, 1000), async (some, times) => {
        const all = Array.from({ length: times }, () => some).flat();
        const expected = all.map(({ name, mountpoint }) => ({ Name: name, Mountpoint: mountpoint }));
        // Lone surrogates cannot be written in UTF-8, nor can Go send them.
        const asWritten = JSON.parse(
          Buffer.from(JSON.stringify({ Volumes: expected })).toString(),
        ) as unknown;
        expect(parse(await volumes(all))).toEqual(asWritten);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a failure', () => {
  it('always has a text, because Docker shows the raw body otherwise', () => {
    expect(parse(failed(''))).toEqual({ Err: 'unknown failure' });
  });
});
