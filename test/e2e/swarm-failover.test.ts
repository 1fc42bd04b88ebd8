import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/hosts/until.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import type { Recorder } from './recorder.ts';
import { RecordingService } from './recording-service.ts';
import { writersInTurn } from '../../lab/stage/records.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

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
    await service.removeFrom(stage.array);
  });

  test('is refused to another host while its own one is connected to the array, and the refusal says who has it', async () => {
    await createVolume(stage.host, 'kept');
    const service = await RecordingService.start(stage.lab, 'kept');
    const first = await service.recordsAnew([]);
    await first.host.cutNetwork('cluster');
    const error = await service.refusal();
    expect(error).toContain('volume "kept" is held by host ');
    expect(error).toContain(first.host.address('storage'));
    expect(error).toContain('which is connected to the array (failover policy "disconnected")');
    expect(error).toContain('docker-volume-scaleio volume force-release kept');
    await first.goesOn();
    expect(await mappedTo(stage.array, first.host)).toHaveLength(1);

    const before = await service.testimonies();
    await first.host.restoreNetwork('cluster');
    const second = await service.recordsAnew(before);
    const records = await second.records(await service.testimonies());
    expect(writersInTurn(records)).toEqual([first.writer, second.writer]);
    expect((await service.testimonies()).flatMap(({ failed }) => failed)).toEqual([]);
    await service.removeFrom(stage.array);
  });

  /** The old host is reachable again: its container is stopped, nothing of the volume stays, and the new one has it. */
  async function settle(service: RecordingService, old: Recorder, now: Recorder): Promise<void> {
    await until(`${old.writer} to be stopped`, () => old.isStopped());
    await untilNothingLeft(stage.array, old.host);
    await now.goesOn();
    expect(await mappedTo(stage.array, now.host)).toHaveLength(1);
    const records = await now.records(await service.testimonies());
    expect(writersInTurn(records)).toEqual([old.writer, now.writer]);
    await service.removeFrom(stage.array);
  }

  /** Every write of the old writer fails from some number on, which nobody else's records may precede. */
  async function isFenced(old: Recorder): Promise<void> {
    await until(`${old.writer} to see an I/O error`, async () => (await old.testimony()).failed.length > 2);
    const { acknowledged, failed } = await old.testimony();
    expect(failed[0]?.why).toMatch(/I\/O error|Input\/output error|Read-only file system/);
    expect(acknowledged.at(-1)).toBeLessThan(failed[0]?.number ?? 0);
  }

  test('is taken from a host that still writes when the volume says always, and no later write arrives', async () => {
    await createVolume(stage.host, 'forced', { size: '8GiB', failover: 'always' });
    const service = await RecordingService.start(stage.lab, 'forced');
    const first = await service.recordsAnew([]);
    await first.host.cutNetwork('cluster');
    const second = await service.recordsAnew(await service.testimonies());
    expect(second.host).not.toBe(first.host);
    await isFenced(first);
    const records = await second.records(await service.testimonies());
    expect(writersInTurn(records)).toEqual([first.writer, second.writer]);
    expect(await second.status('forced')).toMatchObject({
      lastFence: { policy: 'always', outcome: 'taken' },
    });
    await first.host.restoreNetwork('cluster');
    await settle(service, first, second);
  });

  test('is taken only when it is at rest when the volume says idle', async () => {
    await createVolume(stage.host, 'rests', { size: '8GiB', failover: 'idle' });
    const service = await RecordingService.start(stage.lab, 'rests');
    const first = await service.recordsAnew([]);
    await first.host.cutNetwork('cluster');
    expect(await service.refusal()).toMatch(/and doing I\/O; failover policy "idle"/);
    await first.goesOn();
    await first.host.docker(['pause', first.container]);
    const second = await service.recordsAnew(await service.testimonies());
    await first.host.docker(['unpause', first.container]);
    await isFenced(first);
    expect(await second.status('rests')).toMatchObject({ lastFence: { policy: 'idle', recentIo: 0 } });
    await first.host.restoreNetwork('cluster');
    await settle(service, first, second);
  });

  test('is taken from a host that hangs, and what was in its memory does not arrive when it goes on', async () => {
    await createVolume(stage.host, 'hangs');
    const service = await RecordingService.start(stage.lab, 'hangs');
    const first = await service.recordsAnew([]);
    await first.run('dd if=/dev/zero of=/data/buffered bs=1M count=8');
    await first.host.freeze();
    const second = await service.recordsAnew(await service.testimonies());
    const found = await second.run('md5sum /data/buffered || echo none');
    await first.host.thaw();
    await isFenced(first);
    expect(await second.run('md5sum /data/buffered || echo none')).toBe(found);
    await settle(service, first, second);
  });
});
