import { describe, expect, it } from 'vitest';
import { VolumeInUseError } from '../../../../src/errors.ts';
import type { VolumeDriver } from '../../../../src/docker/volume-driver.ts';
import type { CallContext } from '../../../../src/docker/driver-call.ts';
import type { Driver } from '../../../../src/docker/driver.ts';
import type { FenceRecord } from '../../../../src/volumes/ports.ts';
import { entryOf, fenceLog, GATEWAY, pluginMetrics } from './watched.ts';

const never = new AbortController().signal;
const call: CallContext = { signal: never, clientGone: never, requestId: 'r1' };
const request = {
  endpoint: GATEWAY,
  method: 'GET',
  route: '/api/instances/Volume::{id}',
  status: 200,
  ms: 20,
  attempt: 1,
  outcome: 'ok' as const,
};
const fence = { policy: 'idle', outcome: 'taken' } as FenceRecord;

/** A driver of which only Mount works. */
function mounting(mount: VolumeDriver['mount']): Driver {
  const refuse = (): Promise<never> => Promise.reject(new Error('not expected'));
  const others = { create: refuse, remove: refuse, unmount: refuse, path: refuse, get: refuse, list: refuse };
  return { ...others, mount } as unknown as Driver;
}

describe('PluginMetrics', () => {
  it('says which program and version this is', async () => {
    const { scraped } = pluginMetrics();
    expect(await scraped('scaleio_build_info', 'component="plugin",version="1.2.3"')).toBe(1);
    expect(await scraped('process_start_time_seconds')).toBeGreaterThan(0);
  });

  it('counts calls by outcome, and passes arguments, answers and failures on', async () => {
    const { metrics, scraped } = pluginMetrics();
    const seen: unknown[] = [];
    const driver = metrics.observeDriver(
      mounting((name, holder) => {
        seen.push(name, holder);
        if (name === 'held') return Promise.reject(new VolumeInUseError('held'));
        return name === 'bad' ? Promise.reject(new TypeError('x')) : Promise.resolve(`/m/${name}`);
      }),
    );
    expect(await driver.mount('db', 'a', call)).toBe('/m/db');
    await expect(driver.mount('held', 'b', call)).rejects.toThrow(VolumeInUseError);
    await expect(driver.mount('bad', 'c', call)).rejects.toThrow(TypeError);
    expect(seen).toEqual(['db', 'a', 'held', 'b', 'bad', 'c']);
    for (const outcome of ['ok', 'volume_in_use', 'bug'])
      expect(await scraped('scaleio_operations_total', `operation="mount",outcome="${outcome}"`)).toBe(1);
    expect(await scraped('scaleio_operation_duration_seconds_count', 'operation="mount"')).toBe(3);
    expect(await scraped('scaleio_operations_total', 'operation="get",outcome="ok"')).toBe(0);
  });

  it('times only Mounts that took their volume from another host and were answered', async () => {
    const { metrics, scraped } = pluginMetrics();
    const { fences, records } = fenceLog();
    const counted = metrics.observeFences(fences);
    const taking = async (name: string): Promise<string> => {
      metrics.recordRequest(request);
      await Promise.resolve();
      if (name !== 'free') counted.record(fence);
      metrics.recordRequest(request);
      if (name === 'lost') throw new VolumeInUseError('lost');
      return name;
    };
    const driver = metrics.observeDriver(mounting(taking));
    await Promise.all([driver.mount('taken', '', call), driver.mount('free', '', call)]);
    await expect(driver.mount('lost', '', call)).rejects.toThrow(VolumeInUseError);
    counted.record({ ...fence, outcome: 'late' });
    expect(records).toHaveLength(3);
    expect(await scraped('scaleio_takeover_duration_seconds_count')).toBe(1);
    expect(await scraped('scaleio_takeover_gateway_requests_sum')).toBe(2);
    expect(await scraped('scaleio_fences_total', 'policy="idle",outcome="taken"')).toBe(2);
    expect(await scraped('scaleio_fences_total', 'policy="idle",outcome="late"')).toBe(1);
    expect(await scraped('scaleio_fences_total', 'policy="always",outcome="failed"')).toBe(0);
  });

  it('knows every outcome of a fence before it happens, so that its first increase is seen', async () => {
    const { metrics, scraped } = pluginMetrics();
    const counted = metrics.observeFences(fenceLog().fences);
    counted.record({ ...fence, outcome: 'unknown' });
    expect(await scraped('scaleio_fences_total', 'policy="idle",outcome="unknown"')).toBe(1);
    for (const outcome of ['taken', 'late', 'failed', 'unknown'])
      expect(await scraped('scaleio_fences_total', `policy="forced",outcome="${outcome}"`)).toBe(0);
  });

  it('counts what is forced by another process once, also when two scrapes look at once', async () => {
    const { metrics, scraped } = pluginMetrics();
    const waiting: FenceRecord[] = [];
    metrics.observeFences({
      ...fenceLog().fences,
      newOfOthers: async () => {
        const found = [...waiting];
        await Promise.resolve();
        return found;
      },
    });
    const forced = () => scraped('scaleio_fences_total', 'policy="forced",outcome="taken"');
    expect(await forced()).toBe(0);
    waiting.push({ ...fence, policy: 'forced' });
    expect(await Promise.all([forced(), forced()])).toEqual([1, 1]);
    waiting.pop();
    expect(await forced()).toBe(1);
  });

  it('tells what trimming gave back, and nothing where there is none', async () => {
    const { watched, scraped } = pluginMetrics();
    expect(await scraped('scaleio_trimmed_bytes_total')).toBe(0);
    watched.trimTotals = { runs: 5, failures: 2, reclaimedBytes: 4096 };
    expect(await scraped('scaleio_trimmed_bytes_total')).toBe(4096);
    expect(await scraped('scaleio_trim_runs_total', 'outcome="ok"')).toBe(3);
    expect(await scraped('scaleio_trim_runs_total', 'outcome="failed"')).toBe(2);
  });

  it('counts requests by route, repetitions, and log-ins', async () => {
    const { metrics, scraped } = pluginMetrics();
    metrics.recordRequest(request);
    metrics.recordRequest({ ...request, attempt: 2, status: undefined, outcome: 'failed' });
    metrics.recordRequest({ ...request, route: '/api/login' });
    metrics.recordRequest({ ...request, route: '/api/login', status: 404 });
    metrics.recordRequest({ ...request, route: '/rest/auth/login', status: 401, outcome: 'refused' });
    const { route } = request;
    const labels = `gateway="${GATEWAY}",method="GET",route="${route}"`;
    expect(await scraped('scaleio_gateway_requests_total', `${labels},code="200",outcome="ok"`)).toBe(1);
    expect(await scraped('scaleio_gateway_requests_total', `${labels},code="none",outcome="failed"`)).toBe(1);
    expect(await scraped('scaleio_gateway_request_duration_seconds_sum', `route="${route}"`)).toBe(0.04);
    expect(await scraped('scaleio_gateway_retries_total', `route="${route}"`)).toBe(1);
    const logins = (outcome: string) =>
      scraped('scaleio_gateway_logins_total', `gateway="${GATEWAY}",outcome="${outcome}"`);
    expect([await logins('ok'), await logins('refused'), await logins('failed')]).toEqual([1, 1, 0]);
    expect(await scraped('scaleio_gateway_requests_in_flight', `gateway="${GATEWAY}"`)).toBe(2);
    expect(await scraped('scaleio_gateway_up', `gateway="${GATEWAY}"`)).toBe(1);
  });

  it('tells what the reconciler does and when it last could', async () => {
    const { metrics, watched, scraped } = pluginMetrics(30_000);
    const startedS = Date.parse('2026-01-01T00:00:00Z') / 1000;
    let works = true;
    const observed = metrics.observeReconciler({
      run: () =>
        works
          ? Promise.resolve({
              finished: ['a', 'b'],
              lost: ['c'],
              postponed: [],
              unclaimed: ['d'],
              unmarked: ['e', 'f'],
            })
          : Promise.reject(new Error('away')),
    });
    watched.passedMs += 5000;
    await observed.run(never);
    watched.passedMs += 5000;
    works = false;
    await expect(observed.run(never)).rejects.toThrow('away');
    expect(await scraped('scaleio_reconcile_rounds_total', 'outcome="ok"')).toBe(1);
    expect(await scraped('scaleio_reconcile_rounds_total', 'outcome="failed"')).toBe(1);
    expect(await scraped('scaleio_reconcile_volumes_total', 'result="finished"')).toBe(2);
    expect(await scraped('scaleio_reconcile_volumes_total', 'result="lost"')).toBe(1);
    expect(await scraped('scaleio_reconcile_last_success_timestamp_seconds')).toBe(startedS + 5);
    expect(await scraped('scaleio_unclaimed_mappings')).toBe(1);
    expect(await scraped('scaleio_failover_markers_missing')).toBe(2);
    expect(await scraped('scaleio_reconcile_interval_seconds')).toBe(30);
  });

  it('counts the journal by phase', async () => {
    const { watched, scraped } = pluginMetrics();
    watched.entries = [entryOf('a'), entryOf('b'), entryOf('c', { phase: 'releasing' })];
    expect(await scraped('scaleio_volumes_mounted')).toBe(2);
    expect(await scraped('scaleio_journal_entries', 'phase="releasing"')).toBe(1);
    watched.entries = [];
    expect(await scraped('scaleio_journal_entries', 'phase="releasing"')).toBe(0);
  });
});
