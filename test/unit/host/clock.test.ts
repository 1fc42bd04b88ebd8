import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/host/clock.ts';
import type { Clock } from '../../../src/runtime/clock.ts';

describe('systemClock', () => {
  const clock: Clock = systemClock;

  it('stops sleeping at the signal', async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(60_000, controller.signal);
    controller.abort();
    await expect(sleep).rejects.toThrow(CancelledError);
  });

  it.each([1, 7, 16])('gives exactly %i hex digits', (digits) => {
    expect(clock.randomHex(digits)).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
  });
});
