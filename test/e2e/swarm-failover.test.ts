import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createVolume } from './containers.ts';
import { mappedTo, untilNothingLeft } from './left-on-host.ts';
import { RecordingService } from './recording-service.ts';
import { type ArrayStage, pluginStage } from './stage.ts';

describe('a Swarm service with one volume', () => {
  let stage: ArrayStage;

  beforeAll(async () => {
    stage = await pluginStage({
      hosts: 3,
      settings: { ioWindowSeconds: 2 },
      plugin: {
        SCALEIO_FAILOVER_GRACE: '2s',
        SCALEIO_FAILOVER_IDLE_WINDOW: '4s',
        SCALEIO_RECONCILE_INTERVAL: '2s',
      },
    });
    await stage.lab.swarm();
    await stage.host.docker(['swarm', 'update', '--dispatcher-heartbeat', '2s']);
  });

  afterAll(async () => {
    await stage.close();
  });

  test('goes on elsewhere when its host loses power, with every record that was acknowledged', async () => {
    await createVolume(stage.host, 'dies');
    const service = await RecordingService.start(stage.lab, 'dies');
    const first = await service.recordsAnew([]);
    await first.goesOn();
    await first.host.powerOff();
    const before = await service.testimonies();
    const second = await service.recordsAnew(before);
    expect(second.host).not.toBe(first.host);
    const records = await second.records(before);
    expect(records.length).toBeGreaterThan((await first.testimony()).acknowledged.length);

    await first.host.boot();
    await untilNothingLeft(stage.array, first.host);
    await second.goesOn();
    expect(await mappedTo(stage.array, second.host)).toHaveLength(1);
    await service.remove();
    await untilNothingLeft(stage.array, second.host);
  });
});
