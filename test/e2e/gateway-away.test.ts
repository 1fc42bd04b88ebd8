import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/hosts/until.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { RecordingService } from './recording-service.ts';
import { writersInTurn } from '../../lab/stage/records.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/** How long the array is away, ms. */
const awayMs = 30_000;

/** What a task may say that came while the array was away. */
const reasons = /gateway|MDM|array/i;

describe('a takeover while the array is away', () => {
  let stage: ArrayStage;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 3 });
    await stage.lab.swarm({ heartbeat: '2s' });
  });

  afterAll(async () => {
    await stage.close();
  });

  async function control(url: string, body: object): Promise<void> {
    expect((await stage.array.request('POST', url, body)).status).toBe(200);
  }

  const outages: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
    ['killed', () => stage.array.kill(), () => stage.array.start()],
    [
      'busy changing its primary',
      () => control('/simulator/failover', { seconds: awayMs / 1000 }),
      () => Promise.resolve(),
    ],
  ];

  test.each(outages)('that was %s is done by itself when it is back', async (how, goAway, comeBack) => {
    const name = `away-${how.split(' ')[0] ?? ''}`;
    await createVolume(stage.host, name);
    const service = await RecordingService.start(stage.lab, name);
    const first = await service.recordsAnew([]);
    await first.goesOn();
    await first.host.powerOff();
    await goAway();
    const backAt = performance.now() + awayMs;
    const before = await service.testimonies();
    await until('the time to be over', () => performance.now() >= backAt, { timeoutMs: 2 * awayMs });
    expect((await service.testimonies()).map(({ writer }) => writer)).toEqual(
      before.map(({ writer }) => writer),
    );
    await comeBack();
    const second = await service.recordsAnew(before, 120_000);
    expect(second.host).not.toBe(first.host);
    expect(writersInTurn(await second.records(before))).toEqual([first.writer, second.writer]);
    const errors = (await service.tasks()).map(({ error }) => error).filter((error) => error !== '');
    console.log(`${how}: ${errors.length} refused tasks${errors.map((error) => `\n  ${error}`).join('')}`);
    for (const error of errors) expect(error).toMatch(reasons);
    await first.host.boot();
    await untilNothingLeft(stage.array, first.host);
    await second.goesOn();
    await service.removeFrom(stage.array);
  });
});
