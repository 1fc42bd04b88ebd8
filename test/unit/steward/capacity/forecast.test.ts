import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Forecaster } from '../../../../src/steward/capacity/forecast.ts';

const MINUTE = 60_000;
const GIB = 1024 ** 2;

function watched(uses: readonly number[]): Forecaster {
  const forecaster = new Forecaster(30 * MINUTE);
  for (const [index, usedKiB] of uses.entries()) forecaster.add({ elapsedMs: index * MINUTE, usedKiB });
  return forecaster;
}

const series = (length: number, at: (minute: number) => number): number[] =>
  Array.from({ length }, (_, minute) => at(minute));

test('steady growth gives the day on which the pool is full', () => {
  const forecast = watched(series(120, (minute) => 100 * GIB + minute * GIB)).forecast(1000 * GIB);
  expect(forecast).toMatchObject({ kind: 'full' });
  if (forecast.kind === 'full') expect(forecast.inMs / MINUTE).toBeCloseTo(1000, 0);
});

test('a volume that is removed half-way does not bend it', () => {
  const uses = series(200, (minute) => 500 * GIB + minute * GIB - (minute > 100 ? 30 * GIB : 0));
  const forecast = watched(uses).forecast(1000 * GIB);
  if (forecast.kind !== 'full') throw new Error(forecast.kind);
  expect(forecast.inMs / MINUTE).toBeGreaterThan(700);
  expect(forecast.inMs / MINUTE).toBeLessThan(1500);
});

describe('it says that it does not know', () => {
  test('before it has watched for long enough', () => {
    expect(watched(series(9, (minute) => minute)).forecast(GIB)).toMatchObject({ kind: 'unknown' });
    expect(watched(series(20, (minute) => minute)).forecast(GIB)).toMatchObject({ kind: 'unknown' });
  });

  test('when use goes up and down', () => {
    const uses = series(200, (minute) =>
      minute % 40 < 28 ? (minute % 40) * GIB : (40 - (minute % 40)) * 2 * GIB,
    );
    expect(watched(uses).forecast(100 * GIB).kind).not.toBe('full');
  });

  test('when the day is further away than so short a watch can tell', () => {
    expect(watched(series(60, (minute) => minute * 1024)).forecast(1024 * GIB)).toMatchObject({
      kind: 'unknown',
    });
  });
});

test('no growth is no growth', () => {
  expect(watched(series(60, () => GIB)).forecast(GIB)).toEqual({ kind: 'steady' });
  expect(watched(series(60, (minute) => 1000 * GIB - minute * GIB)).forecast(GIB)).toEqual({
    kind: 'steady',
  });
});

test('any line with some noise is found again, whatever the length of the watch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 3000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 97, maxLength: 97 }),
      (length, mibPerMinute, noise) => {
        const uses: number[] = [];
        for (let minute = 0; minute < length; minute += 1) {
          const wobble = noise[minute % 97] ?? 0;
          uses.push((minute + wobble) * mibPerMinute * 1024);
        }
        const unusedKiB = length * 10 * mibPerMinute * 1024;
        const forecast = watched(uses).forecast(unusedKiB);
        if (forecast.kind !== 'full') return false;
        const expected = length * 10;
        return Math.abs(forecast.inMs / MINUTE - expected) < expected * 0.1;
      },
    ),
    { numRuns: 40 },
  );
});
