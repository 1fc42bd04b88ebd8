import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/host/clock.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import { clientOf, cut, fakeGateway, json, rejection, soon } from './fake-gateway.ts';

/* Rule 17, with the real clock: only what Date says is set, as by whoever keeps the machine's time. */

const ID = 'aa' as VolumeId;
const VOLUME = { id: 'aa', name: 'db', sizeInKb: 8388608, storagePoolId: 'sp', vtreeId: 'vt' };
const GET = 'GET /api/instances/Volume::aa';
const LOGIN = 'GET /api/login';
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const setClockBy = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

test.each([-2, 2])(
  'a gateway that failed twice is asked again in a moment when the clock was set by %d h',
  async (hours) => {
    const fake = await fakeGateway({ [GET]: cut });
    // A third as fast, so that a busy machine is quick enough within the moment.
    const clock = { elapsed: () => systemClock.elapsed() / 3 };
    const gateway = clientOf(fake, { clock });
    await rejection(gateway.getVolume(ID, soon()));
    expect((await rejection(gateway.getVolume(ID, soon()))).message).toContain('a moment ago');
    setClockBy(hours * HOUR_MS);
    expect((await rejection(gateway.getVolume(ID, soon()))).message).toContain('a moment ago');
    fake.on(GET, json(200, VOLUME));
    await vi.waitFor(
      async () => {
        expect((await gateway.getVolume(ID, soon()))?.id).toBe('aa');
      },
      {
        timeout: 20_000,
      },
    );
  },
);

test.each([-12, 12])('a session lasts as long as it does when the clock is set by %d h', async (hours) => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake, { clock: systemClock });
  await gateway.getVolume(ID, soon());
  setClockBy(hours * HOUR_MS);
  await gateway.getVolume(ID, soon());
  expect(fake.count(LOGIN)).toBe(1);
});

test.each([-2, 2])(
  'how long a request took is told right when the clock is set by %d h meanwhile',
  async (hours) => {
    const took: number[] = [];
    const fake = await fakeGateway({
      [GET]: (response: ServerResponse) => {
        setClockBy(hours * HOUR_MS);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(VOLUME));
      },
    });
    const gateway = clientOf(fake, { clock: systemClock, observer: ({ ms }) => took.push(ms) });
    await gateway.getVolume(ID, soon());
    expect(took.length).toBeGreaterThan(0);
    for (const ms of took) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(10_000);
    }
  },
);
