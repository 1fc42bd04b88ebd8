import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { BODY_LIMIT_BYTES, readBody } from '../../../src/docker/protocol/body.ts';

const chunksOf = (sizes: readonly number[]) => Readable.from(sizes.map((size) => Buffer.alloc(size, 0x61)));

describe('readBody', () => {
  it('gives the whole of a body up to the limit', async () => {
    expect(await readBody(Readable.from([]))).toHaveLength(0);
    expect(await readBody(chunksOf([3, 4]))).toEqual(Buffer.from('aaaaaaa'));
    expect(await readBody(chunksOf([BODY_LIMIT_BYTES - 1, 1]))).toHaveLength(BODY_LIMIT_BYTES);
  });

  it('reads a larger one to its end, so that its sender gets to read the refusal', async () => {
    const body = chunksOf([BODY_LIMIT_BYTES, 1, 10 * BODY_LIMIT_BYTES]);
    await expect(readBody(body)).rejects.toThrow(/larger than 1048576 bytes/);
    expect(body.readableEnded).toBe(true);
  });

  it('gives up on an endless one', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(BODY_LIMIT_BYTES);
      })(),
    );
    await expect(readBody(endless)).rejects.toThrow(/larger than/);
    expect(endless.destroyed).toBe(true);
  });

  it('fails with what broke the connection', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('{');
        await Promise.resolve();
        throw new Error('aborted');
      })(),
    );
    await expect(readBody(broken)).rejects.toThrow('aborted');
  });
});
