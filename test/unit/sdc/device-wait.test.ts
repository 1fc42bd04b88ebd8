import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import { waitUntil } from '../../../src/sdc/device-wait.ts';
import type { Clock } from '../../../src/runtime/clock.ts';

/** Time stands still: only what the directory tells can wake the wait. */
const frozen: Clock = {
  now: () => 0,
  elapsed: () => 0,
  sleep: (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new CancelledError('cancelled'));
      });
    }),
  randomHex: () => '',
};

describe('waitUntil', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'wait-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const lookFor = (file: string, looked: () => void) => async () => {
    const found = await stat(file).catch(() => undefined);
    looked();
    return found && file;
  };

  it('looks at once', async () => {
    const wait = { directory, clock: frozen, signal: new AbortController().signal };
    expect(await waitUntil(() => Promise.resolve('there'), wait)).toBe('there');
  });

  it('is woken by a change in the directory, without any time passing', async () => {
    const file = path.join(directory, 'link');
    const first = Promise.withResolvers<undefined>();
    const wait = { directory, clock: frozen, signal: new AbortController().signal };
    const found = waitUntil(
      lookFor(file, () => {
        first.resolve(undefined);
      }),
      wait,
    );
    await first.promise;
    await writeFile(file, '');
    expect(await found).toBe(file);
  });

  it('is woken in a directory that comes into being, with its parents, while waiting', async () => {
    const later = path.join(directory, 'disk', 'by-id');
    const file = path.join(later, 'link');
    const first = Promise.withResolvers<undefined>();
    const wait = { directory: later, clock: frozen, signal: new AbortController().signal };
    const found = waitUntil(
      lookFor(file, () => {
        first.resolve(undefined);
      }),
      wait,
    );
    await first.promise;
    await mkdir(later, { recursive: true });
    await writeFile(file, '');
    expect(await found).toBe(file);
  });

  it('passes on what looking rejects with, and ends at the signal', async () => {
    const wait = { directory, clock: frozen, signal: AbortSignal.timeout(20) };
    await expect(waitUntil(() => Promise.reject(new Error('bad')), wait)).rejects.toThrow('bad');
    await expect(waitUntil(() => Promise.resolve(undefined), wait)).rejects.toThrow(CancelledError);
  });
});
