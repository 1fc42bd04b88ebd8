import { expect, test } from 'vitest';
import { Alerts, type Alert } from '../../../../src/steward/capacity/alerts.ts';
import { AuditTrail } from '../../../../src/steward/audit.ts';
import { TestClock } from '../../../contract/steward/scene.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const alert: Alert = {
  key: 'sys.pool.warn',
  kind: 'level',
  level: 'warn',
  before: 'ok',
  text: 'storage pool "sp1" is 81 % full',
  at: '2026-01-01T00:00:00.000Z',
  systemId: 'sys',
  pool: null,
};

test('an alert keeps its id in all attempts, and the next of the same kind has another', async () => {
  const clock = new TestClock();
  const ids: (string | undefined)[] = [];
  const failing = [true, true, false, false];
  const webhooks = {
    post: (_target: object, _payload: object, _signal: AbortSignal, id?: string) => {
      ids.push(id);
      return failing[ids.length - 1] === true ? Promise.reject(new Error('away')) : Promise.resolve('');
    },
  };
  const parts = { webhooks, clock, log: silent, audit: new AuditTrail({ clock, log: silent }) };
  const alerts = new Alerts(parts, [
    { url: 'https://alerts.example.com/', secretFile: '/run/secrets/x', timeout: 1000, attempts: 5 },
  ]);
  alerts.raise(alert);
  await alerts.settled();
  alerts.raise(alert);
  await alerts.settled();
  const [first, second, third, other] = ids;
  expect(ids).toHaveLength(4);
  expect(first).toMatch(/^msg_[0-9a-f]{32}$/);
  expect([second, third]).toEqual([first, first]);
  expect(other).toMatch(/^msg_/);
  expect(other).not.toBe(first);
});
