import { expect, it, test } from 'vitest';
import { AuditTrail } from '../../../../src/steward/audit.ts';
import { Grower } from '../../../../src/steward/capacity/grower.ts';
import { parsePolicy } from '../../../../src/steward/policy-file.ts';
import { PoolWatch } from '../../../../src/steward/capacity/pool-watch.ts';
import { textForSnapshot } from '../../../../src/cli/steward-text.ts';
import type { DeviceId } from '../../../../src/array/ids.ts';
import type { ClusterSpace } from '../../../../src/array/storage-array.ts';
import type { News, TrashKeeping } from '../../../../src/steward/ports.ts';
import { DiskProvider } from '../../../../src/steward/capacity/provider.ts';
import { Steward } from '../../../../src/steward/steward.ts';
import { Alerts } from '../../../../src/steward/capacity/alerts.ts';
import { GatewayRejectedError, GatewayUnavailableError } from '../../../../src/errors.ts';
import { clusterOf, poolAt } from './cluster.ts';

const { signal } = new AbortController();
const MINUTE_MS = 60_000;
const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

function aClock() {
  return {
    passedMs: 0,
    now: () => 0,
    elapsed(): number {
      return this.passedMs;
    },
    sleep: () => Promise.resolve(),
    randomHex: () => '0',
  };
}

const WEBHOOKS = [{ url: 'http://alerts.example.com/x', secretFile: '/run/secrets/x' }];

function policyOf(interval: string, webhooks: readonly object[] = WEBHOOKS) {
  return parsePolicy(
    JSON.stringify({
      version: 1,
      act: true,
      interval,
      webhooks,
      pools: [
        {
          pool: 'sp1',
          grow: {
            above: 85,
            confirm: 1,
            cooldown: '5m',
            maxDevices: 9,
            devices: [{ sds: 'sds1', path: '/dev/disk/by-id/x' }],
          },
        },
      ],
    }),
    'test.yml',
  );
}

function aSteward(array: ClusterSpace, interval: string, targets?: readonly object[], trash?: TrashKeeping) {
  const clock = aClock();
  const policy = policyOf(interval, targets);
  const told: object[] = [];
  const webhooks = {
    post: (_: object, payload: object) => {
      told.push(payload);
      return Promise.resolve('');
    },
  };
  const audit = new AuditTrail({ clock, log });
  const counted: string[] = [];
  const onNews = ({ level }: News): void => void counted.push(level);
  const alerts = new Alerts({ webhooks, clock, log, audit, onNews }, policy.webhooks);
  const grower = new Grower(
    { array, provider: new DiskProvider(webhooks), clock, audit },
    { act: true, intervalMs: policy.interval },
  );
  const steward = new Steward({ array, clock, log, alerts, audit, grower, trash }, policy);
  return { clock, policy, steward, audit, alerts, told, counted };
}

it.each([
  ['10m', 30],
  ['1m', 5],
])(
  'with rounds every %s, tells that it is blind after %d minutes and not sooner',
  async (interval, minutes) => {
    const away = () => Promise.reject(new GatewayUnavailableError('no gateway answers'));
    const { clock, steward, alerts, told } = aSteward({ readCluster: away, addDevice: away }, interval);
    clock.passedMs = minutes * MINUTE_MS - 1;
    await steward.round(signal);
    await alerts.settled();
    expect(told).toEqual([]);
    clock.passedMs = minutes * MINUTE_MS;
    await steward.round(signal);
    await alerts.settled();
    expect(told).toMatchObject([{ kind: 'blind' }]);
  },
);

test('what the trash holds is told with how full a pool is, once it was read', async () => {
  const { id } = poolAt(82);
  let held: TrashKeeping['held'];
  const trash = {
    get held() {
      return held;
    },
    round: () => {
      held = [{ poolId: id, volumes: 2, sizeKiB: 32 * 1024 ** 2 }];
      return Promise.resolve();
    },
  };
  let percent = 82;
  const array = {
    readCluster: () => Promise.resolve(clusterOf(poolAt(percent))),
    addDevice: () => Promise.reject(new Error('not asked for')),
  };
  const { steward, alerts, told } = aSteward(array, '1m', undefined, trash);
  expect(steward.snapshot()).not.toHaveProperty('trash');
  await steward.round(signal);
  percent = 92;
  await steward.round(signal);
  await alerts.settled();
  expect(told).toMatchObject([
    { text: expect.not.stringContaining('trash') as string, pool: { trash: null } },
    {
      text: expect.stringMatching(/; the trash still holds 2 removed volumes of 32 GiB in all$/) as string,
      pool: { trash: { volumes: 2 } },
    },
  ]);
  const text = textForSnapshot(steward.snapshot());
  expect(text).toMatch(/^trash +2 removed volumes of 32 GiB in all$/m);
  expect(textForSnapshot({ ...steward.snapshot(), trash: [] })).not.toContain('trash');
});

test('without a webhook, levels that change and an array out of sight are news all the same, and reminders are not', async () => {
  let read = (): ReturnType<ClusterSpace['readCluster']> => Promise.resolve(clusterOf(poolAt(82)));
  const array = { readCluster: () => read(), addDevice: () => Promise.reject(new Error('not asked for')) };
  const { clock, steward, counted } = aSteward(array, '1m', []);
  await steward.round(signal);
  await steward.round(signal);
  clock.passedMs = 7 * 24 * 60 * MINUTE_MS;
  await steward.round(signal);
  read = () => Promise.reject(new GatewayUnavailableError('no gateway answers'));
  clock.passedMs += 5 * MINUTE_MS;
  await steward.round(signal);
  read = () => Promise.resolve(clusterOf(poolAt(20)));
  await steward.round(signal);
  expect(steward.snapshot().news.map(({ kind, level, text }) => [kind, level, text])).toEqual([
    ['level', 'warn', expect.stringContaining('is warn: 82.0 % used') as string],
    ['sight', 'unknown', expect.stringContaining('no gateway answers') as string],
    ['sight', 'ok', 'the array can be read again'],
    ['level', 'ok', expect.stringContaining('is ok: 20.0 % used') as string],
  ]);
  expect(counted).toEqual(['warn', 'unknown', 'ok', 'ok']);
});

test.each([
  ['disk-taken', 'blocked', 'somebody else adds /dev/disk/by-id/x just now', false],
  ['other', 'failed', 'could not add /dev/disk/by-id/x', true],
] as const)('a disk that the array refuses as %s: %s', async (refusal, outcome, why, isFailed) => {
  const refuse = (): Promise<DeviceId> => Promise.reject(new GatewayRejectedError('refused', { refusal }));
  const array = { readCluster: () => Promise.resolve(clusterOf(poolAt(95))), addDevice: refuse };
  const clock = aClock();
  const audit = new AuditTrail({ clock, log });
  const provider = new DiskProvider({ post: () => Promise.reject(new Error('not asked for')) });
  const policy = policyOf('1m');
  const grower = new Grower({ array, provider, clock, audit }, { act: true, intervalMs: MINUTE_MS });
  const watch = new PoolWatch(policy.pools[0], clock, MINUTE_MS);
  watch.observe(poolAt(95), clusterOf(poolAt(95)));
  clock.passedMs = 10 * MINUTE_MS;
  await grower.consider(poolAt(95), clusterOf(poolAt(95)), watch, signal);
  expect(audit.last.at(-1)).toMatchObject({
    action: 'grow',
    outcome,
    why: expect.stringContaining(why) as string,
  });
  // One that another steward adds is no bad disk: it must not be passed over later.
  expect(watch.failedDisks(99 * MINUTE_MS).size > 0).toBe(isFailed);
});
