import * as z from 'zod';

import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';

const text = z.string({ error: 'must be a string' });
const Name = text.min(1, 'must not be empty');

/** zod drops this key without a word, and a dropped option would be an ignored one. */
const bearsProto = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__');

const Opts = z
  .unknown()
  .refine((value) => !bearsProto(value), { error: 'must not hold "__proto__"', abort: true })
  .pipe(z.record(z.string(), text, { error: 'must be an object of strings' }).nullish())
  .transform((options) => options ?? {})
  .prefault({});

/** A missing ID is one anonymous user: dvdcli sends none. [dvdcli proxy.go] */
const ID = text.nullish().transform((id) => id ?? '');

const object = { error: 'must be a JSON object' };

/** Bodies by what they hold; unknown fields are ignored, as Go's decoder does on the other side. */
export const emptyBody = z.object({}, object);
export const namedBody = z.object({ Name }, object);
export const createBody = z.object({ Name, Opts }, object);
export const mountBody = z.object({ Name, ID }, object);

/**
 * The request of one call. An engine that lost its connection repeats the call with an empty body (it sends its
 * drained buffer again [moby client.go]), so an empty one is never taken for a name; it is good only for calls that
 * need nothing (`emptyBody`). Throws InvalidRequestError that says what is wrong.
 */
export function readRequest<T>(call: string, schema: z.ZodType<T>, body: Uint8Array): T {
  if (body.length === 0 && schema !== emptyBody) {
    throw new InvalidRequestError(
      `${call} came without a body, as when an engine repeats a call whose connection it lost; nothing was done, try again`,
    );
  }
  const parsed = schema.safeParse(body.length === 0 ? {} : parseJson(call, body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map((part) => quote(String(part))).join(' of ');
  throw new InvalidRequestError(
    `${call} cannot be read: ${where ? `field ${where}` : 'the body'} ${issue?.message ?? 'is wrong'}`,
  );
}

function parseJson(call: string, body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new InvalidRequestError(`${call} cannot be read: the body is not JSON in UTF-8`, { cause });
  }
}
