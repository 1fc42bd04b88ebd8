import type { Readable } from 'node:stream';

import { InvalidRequestError } from '../../errors.ts';

/** Largest request that is read; the engine's are a few hundred bytes. */
export const BODY_LIMIT_BYTES = 1024 * 1024;

/** What is read and thrown away of a larger one, so that its sender gets to read the refusal. */
const DISCARD_LIMIT_BYTES = 64 * BODY_LIMIT_BYTES;

/**
 * The whole body. A larger one than the limit is read to its end (a client that is still writing would lose an early
 * answer to a broken pipe) without being kept, then refused with InvalidRequestError. Beyond 64 MiB the connection is
 * dropped.
 */
export async function readBody(payload: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > DISCARD_LIMIT_BYTES) break;
    if (length > BODY_LIMIT_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (length <= BODY_LIMIT_BYTES) return Buffer.concat(chunks, length);
  throw new InvalidRequestError(`the request is larger than ${BODY_LIMIT_BYTES} bytes; nothing was done`);
}
