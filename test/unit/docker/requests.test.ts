import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createBody,
  emptyBody,
  mountBody,
  namedBody,
  readRequest,
} from '../../../src/docker/protocol/requests.ts';
import { InvalidRequestError } from '../../../src/errors.ts';

const bytes = (text: string) => Buffer.from(text);

describe('readRequest', () => {
  it('gives back whatever names and options an engine encodes', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const Opts = fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(text, Opts, (Name, options) => {
        const body = bytes(`${JSON.stringify({ Name, Opts: options })}\n`);
        expect(readRequest('Create', createBody, body)).toEqual({ Name, Opts: { ...options } });
      }),
    );
  });

  it('reads anything or refuses it, and does nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json().map(bytes), fc.uint8Array()), (body) => {
        try {
          const { Name, Opts } = readRequest('Create', createBody, body);
          expect(Name).toMatch(/[^]/);
          expect(Object.values(Opts).every((value) => typeof value === 'string')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequestError);
        }
      }),
    );
  });

  it('takes an empty body only where nothing is needed', () => {
    expect(readRequest('List', emptyBody, bytes(''))).toEqual({});
    for (const schema of [namedBody, mountBody, createBody]) {
      expect(() => readRequest<unknown>('Get', schema, bytes(''))).toThrow(/Get came without a body/);
    }
  });

  it.each([
    ['{"Name":"db","ID":7}', 'Mount cannot be read: field "ID" must be a string'],
    ['{"ID":"a"}', 'Mount cannot be read: field "Name" must be a string'],
    ['{"Name":"","ID":"a"}', 'Mount cannot be read: field "Name" must not be empty'],
    ['[]', 'Mount cannot be read: the body must be a JSON object'],
    ['{', 'Mount cannot be read: the body is not JSON in UTF-8'],
  ])('says what is wrong with %s', (body, message) => {
    expect(() => readRequest('Mount', mountBody, bytes(body))).toThrow(message);
  });

  it('refuses names in other encodings rather than change them', () => {
    expect(() => readRequest('Get', namedBody, Buffer.from('{"Name":"d\xe9"}', 'latin1'))).toThrow(/UTF-8/);
  });

  it('loses no option: the name of one that objects have anyway is refused', () => {
    expect(() => readRequest('Create', createBody, bytes('{"Name":"db","Opts":{"__proto__":"x"}}'))).toThrow(
      /field "Opts" must not hold "__proto__"/,
    );
    expect(readRequest('Create', createBody, bytes('{"Name":"db","Opts":{"constructor":"x"}}')).Opts).toEqual(
      {
        constructor: 'x',
      },
    );
  });
});
