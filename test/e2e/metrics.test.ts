import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { createVolume, onVolume } from '../../lab/stage/containers.ts';
import { engineLog, type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const port = 9470;

describe('the metrics of a managed plugin', () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2, plugin: { SCALEIO_METRICS_ADDRESS: `0.0.0.0:${port}` } });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
  });

  afterAll(async () => {
    await stage.close();
  });

  /** What the plugin of a host answers to who asks from another host, over the network. */
  async function ask(host: Host, page: string): Promise<string> {
    const url = `http://${host.address('storage')}:${port}${page}`;
    return other.exec([node, '-e', `fetch('${url}').then(async (r) => console.log(await r.text()))`]);
  }

  async function metric(host: Host, name: string): Promise<number> {
    const line = (await ask(host, '/metrics')).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }

  test('tell of a takeover, and of the room in the volume that is mounted now', async () => {
    await expect.poll(() => ask(other, '/readyz'), { timeout: 60_000 }).toContain('{"ready":true');
    await createVolume(one, 'moved');
    await one.docker(['run', '--detach', '--volume', 'moved:/data', 'busybox', 'sleep', '600']);
    expect(await metric(one, 'scaleio_volumes_mounted')).toBe(1);
    expect(await metric(one, 'scaleio_volume_size_bytes{volume="moved"}')).toBeGreaterThan(7 * 2 ** 30);
    expect(await metric(other, 'scaleio_takeover_duration_seconds_count')).toBe(0);

    await one.powerOff();
    await other.docker(['run', '--detach', '--volume', 'moved:/data', 'busybox', 'sleep', '600']);
    expect(await metric(other, 'scaleio_fences_total{policy="disconnected",outcome="taken"}')).toBe(1);
    expect(await metric(other, 'scaleio_takeover_duration_seconds_count')).toBe(1);
    expect(await metric(other, 'scaleio_takeover_duration_seconds_sum')).toBeGreaterThan(0);
    expect(await metric(other, 'scaleio_takeover_gateway_requests_sum')).toBeGreaterThanOrEqual(6);
    expect(await metric(other, 'scaleio_volume_used_bytes{volume="moved"}')).toBeGreaterThan(0);
    await one.boot();
  });

  test('are beside a log in which a Mount is followed down to its requests and programs', async () => {
    const log = engineLog(other);
    await createVolume(other, 'followed');
    const mark = await log.mark();
    await onVolume(other, 'followed', 'true');
    const lines = await log.lines(mark);
    const requestId = lines.find(({ operation }) => operation === 'Mount')?.requestId;
    const own = lines.filter((line) => line.requestId === requestId);
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(own.map(({ route }) => route)).toContain('/api/instances/Volume::{id}/action/addMappedSdc');
    expect(own.map(({ program }) => program)).toContain('mount');
    const others = lines.filter((line) => line.route !== undefined && line.requestId !== requestId);
    expect(others.length).toBeGreaterThan(0);
  });
});
