import { describe, expect, it } from 'vitest';
import { AuditTrail } from '../../../../src/steward/audit.ts';
import type { StewardSnapshot } from '../../../../src/steward/steward.ts';
import { device, sds, TIB } from '../../steward/capacity/cluster.ts';
import { GATEWAY } from './watched.ts';
import { statusAt, stewardMetrics } from './watched-steward.ts';

const POOL = 'system="72ce476b00000000",domain="pd1",pool="sp1"';
const never = new AbortController().signal;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

const NO_IO = { iops: null, kibPerSecond: null, latencyMicroseconds: null };

describe('what the steward tells of pools', () => {
  it('tell the I/O of pools as it was last sampled, and how far a rebuild has come, while there is any', async () => {
    const { read, lines, state } = stewardMetrics();
    const pool = statusAt(50, { rebuild: { leftKiB: 25, ofKiB: 100 } });
    read([pool]);
    state.poolIo = new Map([
      [
        pool.reading.id,
        {
          read: { iops: 12, kibPerSecond: 2, latencyMicroseconds: 500 },
          write: { iops: 3, kibPerSecond: null, latencyMicroseconds: null },
        },
      ],
      ['another', { read: NO_IO, write: NO_IO }],
    ]);
    const of = (more: string): string => `{system="72ce476b00000000",domain="pd1",pool="sp1",${more}}`;
    expect(await lines('scaleio_pool_io_operations_per_second')).toEqual([
      `${of('direction="read"')} 12`,
      `${of('direction="write"')} 3`,
    ]);
    expect(await lines('scaleio_pool_io_bytes_per_second')).toEqual([`${of('direction="read"')} 2048`]);
    expect(await lines('scaleio_pool_io_latency_seconds')).toEqual([`${of('direction="read"')} 0.0005`]);
    expect(await lines('scaleio_pool_progress_ratio')).toEqual([`${of('what="rebuild"')} 0.75`]);
    state.poolIo = new Map();
    read([statusAt(50)]);
    expect(await lines('scaleio_pool_io_operations_per_second')).toEqual([]);
    expect(await lines('scaleio_pool_progress_ratio')).toEqual([]);
  });

  it('is nothing before the first reading', async () => {
    const { lines } = stewardMetrics();
    expect(await lines('scaleio_pool_used_bytes')).toEqual([]);
    expect(await lines('scaleio_array_sdss')).toEqual([]);
    expect(await lines('scaleio_steward_array_reachable')).toEqual(['0']);
    expect(await lines('scaleio_steward_last_reading_timestamp_seconds')).toEqual(['0']);
  });

  it('is in raw bytes, by kind', async () => {
    const { lines, read } = stewardMetrics();
    const capacity = {
      limitKiB: 100,
      spareKiB: 10,
      usedKiB: 40,
      unusedKiB: 50,
      thinCommittedKiB: 60,
      failedKiB: 1,
      degradedKiB: 2,
      inMaintenanceKiB: 3,
      unreachableKiB: 4,
      rebuildKiB: 5,
      rebalanceKiB: 6,
    };
    read([statusAt(50, { capacity })]);
    const kinds: [string, number][] = [
      ...([
        ['capacity', 100],
        ['spare', 10],
        ['used', 40],
        ['unused', 50],
        ['thin_committed', 60],
      ] as const),
      ...([
        ['failed', 1],
        ['degraded', 2],
        ['in_maintenance', 3],
        ['unreachable', 4],
      ] as const),
      ...([
        ['rebuild', 5],
        ['rebalance', 6],
      ] as const),
    ].map(([kind, kib]) => [kind, kib]);
    for (const [kind, kib] of kinds)
      expect(await lines(`scaleio_pool_${kind}_bytes`)).toEqual([`{${POOL}} ${kib * 1024}`]);
    expect(await lines('scaleio_pool_devices')).toEqual([`{${POOL}} 3`]);
    expect(await lines('scaleio_pool_condition')).toEqual([
      `{${POOL},condition="impaired"} 1`,
      `{${POOL},condition="rebuilding"} 1`,
      `{${POOL},condition="rebalancing"} 1`,
    ]);
  });

  it('has ratio, level and thresholds; the latter two only of pools in the policy', async () => {
    const { lines, read } = stewardMetrics();
    read([statusAt(50, { level: 'warn' })]);
    expect(await lines('scaleio_pool_used_ratio')).toEqual([`{${POOL}} 0.5`]);
    expect(await lines('scaleio_pool_level')).toEqual(
      ['ok"} 0', 'warn"} 1', 'critical"} 0', 'unknown"} 0'].map((level) => `{${POOL},level="${level}`),
    );
    expect(await lines('scaleio_pool_threshold_ratio')).toEqual([
      `{${POOL},level="warn"} 0.8`,
      `{${POOL},level="critical"} 0.9`,
    ]);
    read([statusAt(50, { watched: undefined })]);
    expect(await lines('scaleio_pool_used_ratio')).toHaveLength(1);
    expect(await lines('scaleio_pool_level')).toEqual([]);
    expect(await lines('scaleio_pool_threshold_ratio')).toEqual([]);
  });

  it('has a forecast only where there is one', async () => {
    const { lines, read } = stewardMetrics();
    read([statusAt(50, { forecast: { kind: 'full', inMs: 3_600_000, kibPerDay: 86_400 } })]);
    const full = Date.parse('2026-01-01T01:00:00Z') / 1000;
    expect(await lines('scaleio_pool_full_timestamp_seconds')).toEqual([`{${POOL}} ${full}`]);
    expect(await lines('scaleio_pool_growth_bytes_per_second')).toEqual([`{${POOL}} 1024`]);
    for (const forecast of [{ kind: 'steady' }, { kind: 'unknown', why: 'x' }] as const) {
      read([statusAt(50, { forecast })]);
      expect(await lines('scaleio_pool_full_timestamp_seconds')).toEqual([]);
    }
  });

  it('ends with the pool', async () => {
    const { pages, read } = stewardMetrics();
    const forecast = { kind: 'full', inMs: 1, kibPerDay: 1 } as const;
    const other = statusAt(50, { forecast });
    read([statusAt(50), { ...other, reading: { ...other.reading, name: 'gone' } }]);
    expect(await pages.registry.metrics()).toContain('pool="gone"');
    read([statusAt(50)]);
    expect(await pages.registry.metrics()).not.toContain('pool="gone"');
  });

  it('stays as last read while the array is away, and says that it is away', async () => {
    const { lines, pages, read } = stewardMetrics();
    read([statusAt(50)], { reachable: false, failure: 'no gateway answers', ageMs: 90_000 });
    expect(await lines('scaleio_pool_used_ratio')).toEqual([`{${POOL}} 0.5`]);
    expect(await lines('scaleio_steward_array_reachable')).toEqual(['0']);
    expect(pages.readiness.report().checks).toContainEqual({
      name: 'array',
      ready: false,
      reason: 'no gateway answers',
    });
  });
});

describe('what the steward tells of itself', () => {
  it('is when it last read, how often it reads, and whether it acts', async () => {
    const { lines, read } = stewardMetrics();
    read([], { acts: true, problems: ['the array has no storage pool "x"'] });
    const at = Date.parse('2026-01-01T00:00:00Z') / 1000;
    expect(await lines('scaleio_steward_last_reading_timestamp_seconds')).toEqual([`${at}`]);
    expect(await lines('scaleio_steward_interval_seconds')).toEqual(['60']);
    expect(await lines('scaleio_steward_acts')).toEqual(['1']);
    expect(await lines('scaleio_steward_policy_problems')).toEqual(['1']);
    expect(await lines('scaleio_build_info')).toEqual(['{component="steward",version="1.2.3"} 1']);
  });

  it('counts servers and devices in trouble', async () => {
    const { lines, read } = stewardMetrics();
    const sdss = [sds(1), sds(2), sds(3, { trouble: 'Disconnected' })];
    read([], { sdss, devices: [device(1), device(2, { trouble: 'Error' })] });
    const system = 'system="72ce476b00000000"';
    expect(await lines('scaleio_array_sdss')).toEqual([
      `{${system},condition="ok"} 2`,
      `{${system},condition="trouble"} 1`,
    ]);
    expect(await lines('scaleio_array_devices')).toEqual([
      `{${system},condition="ok"} 1`,
      `{${system},condition="trouble"} 1`,
    ]);
  });

  it('counts what is audited, once as it is recorded', async () => {
    const { metrics, lines } = stewardMetrics();
    const audit = new AuditTrail({
      clock: { now: () => 0 },
      log,
      onRecord: (record) => {
        metrics.recordAction(record);
      },
    });
    const blocked = { action: 'grow', target: 'pool "a"', outcome: 'blocked', why: 'rebuild' } as const;
    audit.recordOnce(blocked);
    audit.recordOnce(blocked);
    audit.record({ ...blocked, outcome: 'done' });
    const counted = await lines('scaleio_steward_actions_total');
    expect(counted).toContain('{action="grow",outcome="blocked"} 1');
    expect(counted).toContain('{action="grow",outcome="done"} 1');
    expect(counted).toContain('{action="alert",outcome="failed"} 0');
    audit.record({ ...blocked, action: 'grow-volume', by: 'orders', outcome: 'done' });
    expect(await lines('scaleio_steward_actions_total')).toContain('{action="api",outcome="done"} 1');
  });

  it('counts levels that changed, by the level since', async () => {
    const { metrics, lines } = stewardMetrics();
    const news = { at: '', text: '' };
    metrics.recordNews({ ...news, kind: 'level', level: 'critical' });
    metrics.recordNews({ ...news, kind: 'sight', level: 'ok' });
    expect(await lines('scaleio_steward_level_changes_total')).toEqual([
      '{level="ok"} 0',
      '{level="warn"} 0',
      '{level="critical"} 1',
    ]);
  });

  it('counts rounds by outcome', async () => {
    const { metrics, lines, state } = stewardMetrics();
    const round = (reachable: boolean, work: () => Promise<void>) => {
      const snapshot = (): StewardSnapshot => ({ ...state.snapshot, reachable });
      return metrics.observeRounds({ round: work, snapshot }).round(never);
    };
    await round(true, () => Promise.resolve());
    await round(false, () => Promise.resolve());
    await expect(round(true, () => Promise.reject(new TypeError('x')))).rejects.toThrow('x');
    expect(await lines('scaleio_steward_rounds_total')).toEqual([
      '{outcome="ok"} 1',
      '{outcome="failed"} 1',
      '{outcome="bug"} 1',
    ]);
  });

  it('counts what is sent to webhooks by host, without path and query', async () => {
    const { metrics, lines } = stewardMetrics();
    let works = true;
    const ids: (string | undefined)[] = [];
    const observed = metrics.observeWebhooks({
      post: (_target, _payload, _signal, id) => {
        ids.push(id);
        return works ? Promise.resolve('') : Promise.reject(new Error('away'));
      },
    });
    const target = { url: 'https://alerts.example.com/x?token=secret', secretFile: '/x', timeoutMs: 1 };
    await observed.post(target, {}, never, 'msg_1');
    expect(ids).toEqual(['msg_1']);
    works = false;
    await expect(observed.post(target, {}, never)).rejects.toThrow('away');
    await expect(observed.post(target, {}, AbortSignal.abort())).rejects.toThrow('away');
    expect(await lines('scaleio_steward_webhook_requests_total')).toEqual([
      '{webhook="alerts.example.com",outcome="ok"} 1',
      '{webhook="alerts.example.com",outcome="failed"} 1',
    ]);
  });

  it('counts gateway requests as the plugin does', async () => {
    const { metrics, lines } = stewardMetrics();
    const request = { endpoint: GATEWAY, method: 'GET', route: '/api/types/StoragePool/instances' };
    metrics.recordRequest({ ...request, status: 200, ms: 20, attempt: 2, outcome: 'ok' });
    expect(await lines('scaleio_gateway_retries_total')).toEqual([`{route="${request.route}"} 1`]);
    expect(await lines('scaleio_gateway_up')).toEqual([`{gateway="${GATEWAY}"} 1`]);
    expect(await lines('scaleio_gateway_last_success_timestamp_seconds')).toEqual(['1000']);
  });

  it('is ready when the array was read lately', () => {
    const { metrics, pages, read } = stewardMetrics();
    const unready = () =>
      pages.readiness
        .report()
        .checks.filter(({ ready }) => !ready)
        .map(({ name, reason }) => `${name}: ${reason}`);
    expect(unready()).toEqual(['gateway: no gateway has answered yet', 'array: not read yet']);
    const request = { endpoint: GATEWAY, method: 'GET', route: '/api/x', attempt: 1, ms: 1 };
    metrics.recordRequest({ ...request, status: 200, outcome: 'ok' });
    read([statusAt(50, { capacity: { limitKiB: TIB } })]);
    expect(unready()).toEqual([]);
    read([], { ageMs: 10 * 60_000 });
    expect(unready()).toEqual(['array: read 600 s ago']);
  });
});
