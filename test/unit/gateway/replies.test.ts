import { expect, test } from 'vitest';
import { CapacityError, GatewayAuthError, PluginError } from '../../../src/errors.ts';
import { ERROR_ENTRIES } from '../../../src/gateway/wire/error-codes.ts';
import type { Meaning } from '../../../src/gateway/wire/error-entry.ts';
import { ArrayRefusal, EndpointFailure, SessionRefused } from '../../../src/gateway/wire/failures.ts';
import type { HttpReply } from '../../../src/gateway/wire/http.ts';
import { isMissing, refusalOf } from '../../../src/gateway/wire/replies.ts';

function reply(status: number, body: string, contentType = 'application/json;charset=UTF-8'): HttpReply {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(body));
  }
  return { status, contentType, location: undefined, isEncrypted: true, body: chunks() };
}

function refuse(errorCode: number, message: string, status = 500): Promise<Error> {
  return refusalOf(reply(status, JSON.stringify({ message, httpStatusCode: status, errorCode })), 'do it');
}

const CLASSES: Readonly<Partial<Record<Meaning, abstract new (...args: never) => Error>>> = {
  capacity: CapacityError,
  auth: GatewayAuthError,
  session: SessionRefused,
  doubtful: EndpointFailure,
};
const classOf = (meaning: Meaning) => CLASSES[meaning] ?? ArrayRefusal;
const PLAIN: readonly Meaning[] = ['rejected', 'busy'];

test.each(ERROR_ENTRIES.map((entry) => ({ entry, label: `${entry[0] ?? '?'} ${entry[2]}` })))(
  'row $label: known by its text, whatever its number',
  async ({ entry }) => {
    const [code, name, text, meaning, advice] = entry;
    for (const spelling of [text, `${text}.`, `${text}. `, text.toUpperCase()]) {
      const error = await refuse(9999, spelling);
      expect(error).toBeInstanceOf(classOf(meaning));
      if (error instanceof ArrayRefusal) {
        expect(error.refusal).toBe(PLAIN.includes(meaning) ? 'other' : meaning);
        expect(error.arrayCode).toBe(code ?? 9999);
        expect(error.retryable).toBe(meaning === 'busy');
      }
      if (advice !== undefined && error instanceof PluginError) expect(error.message).toContain(advice);
    }
    if (code !== null) expect(await refuse(code, 'Ein anderer Text')).toBeInstanceOf(classOf(meaning));
    if (name !== null) {
      const details = [{ error: name, rc: 9999 }];
      const body = { message: 'Error with details', httpStatusCode: 500, errorCode: 0, details };
      expect(await refusalOf(reply(500, JSON.stringify(body)), 'do it')).toBeInstanceOf(classOf(meaning));
    }
  },
);

test('no number or text stands in two rows with different meanings', () => {
  const texts = ERROR_ENTRIES.map(([, , text]) => text.toLowerCase());
  expect(new Set(texts).size).toBe(texts.length);
  for (const [code, , , meaning] of ERROR_ENTRIES) {
    const same = ERROR_ENTRIES.filter(([other]) => code !== null && other === code);
    expect(same.every(([, , , other]) => other === meaning)).toBe(true);
  }
});

test.each([
  [78, 'Could not find SDS', 79],
  [78, 'Could not find the volume', 79],
  [4037, '', 81],
  [4039, '', 84],
  [306, 'Only a single SDC may be mapped to this volume at a time', 306],
  [362, 'This volume is already mapped and may not be mapped to additional SDCs.', 306],
])('%d "%s" counts as %d', async (code, text, expected) => {
  const error = await refuse(code, text);
  expect(error).toMatchObject({ arrayCode: expected, httpStatus: 500, context: { arrayCode: code } });
});

test('the sentence says what was attempted, why it failed and what to do, on one line', async () => {
  const error = await refuse(306, 'Only a single SDC may be mapped\n to this volume at a time');
  expect(error.message).toBe(
    'cannot do it: the array says "Only a single SDC may be mapped to this volume at a time"; unmap it from the SDC that holds it, or allow failover',
  );
  const long = await refuse(0, 'x'.repeat(5000), 400);
  expect(long.message.length).toBeLessThan(200);
});

test('what is not seen in a text, or turns it round, is shown escaped', async () => {
  const error = await refuse(0, 'no \u202evolume\u200b \u0007 "db"\u2028here', 400);
  expect(error.message).toContain(String.raw`"no \u202evolume\u200b \u0007 "db" here"`);
});

test('a composite error is known by what is inside', async () => {
  const details = [
    { error: 'TOO_MANY_SNAPS_IN_VTREE', rc: 182, errorMessage: 'There are too many snapshots in the VTree' },
  ];
  const body = { message: 'Error with details', httpStatusCode: 500, errorCode: 0, details };
  const error = await refusalOf(reply(500, JSON.stringify(body)), 'snapshot volume "x"');
  expect(error).toMatchObject({ refusal: 'family-full', arrayCode: 182 });
  expect(error.message).toContain('There are too many snapshots in the VTree');
});

test('numbers written as strings are numbers', async () => {
  const body = '{"message":"Could not find the volume","httpStatusCode":"500","errorCode":"79"}';
  expect(isMissing(await refusalOf(reply(500, body), 'do it'))).toBe(true);
});

test.each([
  ['HTML', 502, '<html><body>Bad Gateway</body></html>', true],
  ['HTML', 503, '<html></html>', true],
  ['nothing', 504, '', true],
  ['HTML', 500, '<html></html>', true],
  ['cut JSON', 500, '{"message":"Could not f', true],
  ['a list', 500, '[]', true],
  ["an ingress's JSON", 404, '{"message":"no Route matched with those values"}', false],
  ['HTML', 404, '<html></html>', false],
  ['nothing', 302, '', false],
  ['nothing', 428, '', false],
  ['nothing', 429, '', false],
])('%s with status %d is no word of the array', async (_what, status, body, mayHaveActed) => {
  const error = await refusalOf(reply(status, body, 'text/html'), 'do it');
  expect(error).toBeInstanceOf(EndpointFailure);
  expect(error).toMatchObject({ mayHaveActed });
  expect(isMissing(error)).toBe(false);
});

test.each([
  [401, '{"message":"Unauthorized","httpStatusCode":401,"errorCode":0}'],
  [401, '<html></html>'],
  [403, ''],
])('status %d asks for a new log-in', async (status, body) => {
  expect(await refusalOf(reply(status, body), 'do it')).toBeInstanceOf(SessionRefused);
});

test.each([
  'Could not connect to the MDM',
  'Failed to reach primary MDM',
  'The MDM is disconnected',
  'MDM failover',
])('"%s" is trouble that passes', async (text) => {
  expect(await refuse(0, text)).toMatchObject({ kind: 'busy', mayHaveActed: true });
});

test("the gateway's own checks are rejections with number 0", async () => {
  const error = await refuse(0, 'Request message is not valid: One of the parameter(s) is missing', 400);
  expect(error).toMatchObject({
    name: 'GatewayRejectedError',
    arrayCode: 0,
    httpStatus: 400,
    retryable: false,
  });
});

test.each([
  [79, 'Could not find the volume', 500],
  [3, 'Not found', 500],
  [88, 'Invalid volume ID. Please try again with a valid ID.', 500],
  [0, 'Volume not found', 404],
])('%d "%s" means that there is none', async (code, text, status) => {
  expect(isMissing(await refuse(code, text, status))).toBe(true);
});
