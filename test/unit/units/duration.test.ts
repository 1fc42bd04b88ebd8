import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../../src/units/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['30s', 30_000],
    ['5m', 300_000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['1m30s', 90_000],
    ['2d', 172_800_000],
    ['0', 0],
    ['0s', 0],
    [' 10S ', 10_000],
  ])('reads %j as %d ms', (raw, durationMs) => {
    expect(parseDuration(raw)).toBe(durationMs);
  });

  it.each(['', '30', '-5s', 's', '5 s', '5x', '1e3s', '.5s', 'soon', '25d', '99999999999999h', '1s\n2'])(
    'refuses %j',
    (raw) => {
      expect(() => parseDuration(raw, 'timeout')).toThrow(InvalidRequestError);
      expect(() => parseDuration(raw, 'timeout')).toThrow(/^timeout "[^\n]*; write it like 30s/);
    },
  );

  it('gives whole milliseconds that a timer can wait, or an InvalidRequestError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(\d{1,9}(ms|s|m|h|d)){1,3}$/)), (raw) => {
        try {
          const durationMs = parseDuration(raw);
          return Number.isInteger(durationMs) && durationMs >= 0 && durationMs <= MAX_DURATION_MS;
        } catch (error) {
          return error instanceof InvalidRequestError;
        }
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [250, '250 ms'],
    [12_300, '12 s'],
    [300_000, '5 min'],
    [10_800_000, '3 h'],
  ])('writes %d ms as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});
