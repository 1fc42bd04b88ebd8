import { describe, expect, test } from 'vitest';
import { CapacityError, GatewayRejectedError } from '../../../src/errors.ts';
import { assertBelowFillLimit } from '../../../src/volumes/life/pool-fill-limit.ts';
import type { PoolId } from '../../../src/array/ids.ts';
import type { StoragePool } from '../../../src/array/pool.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { World } from './world/world.ts';

const GIB = 1024 ** 2;
const pool: StoragePool = {
  id: 'p' as PoolId,
  name: 'sp1',
  domainId: 'd',
  domainName: 'pd1',
  zeroPadding: true,
};

function asked(
  limit: number | undefined,
  usage: { usedKiB: number; roomKiB: number } | Error,
  removeGraceMs = 0,
) {
  const world = new World();
  const { host } = world.host(1).life;
  const lines: string[] = [];
  let calls = 0;
  const array = {
    ...host.array,
    poolUsage: () => {
      calls += 1;
      return usage instanceof Error ? Promise.reject(usage) : Promise.resolve(usage);
    },
  };
  const policy = { ...host.policy, refuseAbovePercent: limit, removeGraceMs };
  const warn = (_: object, message: string): void => void lines.push(message);
  const answer = assertBelowFillLimit(
    { array, policy, log: { ...host.log, warn } },
    'db' as VolumeName,
    pool,
    new AbortController().signal,
  );
  return { answer, lines, calls: () => calls };
}

test('nothing is asked where no limit is set', async () => {
  const { answer, calls } = asked(undefined, { usedKiB: 100, roomKiB: 100 });
  await answer;
  expect(calls()).toBe(0);
});

describe('above the limit a volume is refused, with how full the pool is and what must happen', () => {
  test.each([
    [90, 900, true],
    [90, 901, false],
    [90, 1000, false],
    [100, 1000, true],
  ])('limit %i %%, used %i of 1000', async (limit, used, isTaken) => {
    const { answer } = asked(limit, { usedKiB: used * GIB, roomKiB: 1000 * GIB });
    if (isTaken) await expect(answer).resolves.toBeUndefined();
    else await expect(answer).rejects.toBeInstanceOf(CapacityError);
  });

  test('in words', async () => {
    const { answer } = asked(90, { usedKiB: 950 * GIB, roomKiB: 1000 * GIB });
    await expect(answer).rejects.toThrow(
      'creating volume "db" was refused: storage pool "sp1" is 95.0 % full, and new volumes are refused above 90 % ' +
        '(SCALEIO_REFUSE_ABOVE) until 25 GiB are freed (remove or trim volumes) or devices are added',
    );
  });
});

test('what was removed is said to take its space, where removed volumes are kept', async () => {
  const full = { usedKiB: 950 * GIB, roomKiB: 1000 * GIB };
  await expect(asked(90, full, 24 * 3_600_000).answer).rejects.toThrow(
    'or devices are added; what was removed in the last 24 h still takes its space: "volume trash" lists it',
  );
  await expect(asked(90, full).answer).rejects.toThrow(/or devices are added$/);
});

test('an array that does not say how full it is refuses nothing here, and the log says so', async () => {
  const cause = new GatewayRejectedError('no', { refusal: 'other' });
  const { answer, lines } = asked(90, cause);
  await answer;
  expect(lines).toEqual(['the array does not say how full the pool is']);
});
