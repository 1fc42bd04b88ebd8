import { expect, test } from 'vitest';
import { CallLedger } from '../../../lab/bench/call-ledger.ts';

const [MOUNT, OTHER, GET] = ['a', 'b', 'c'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
) as [string, string, string];

/** A gateway's log that says who asked. */
function ledgerOver() {
  const log: (string | undefined)[] = [];
  const ledger = new CallLedger(() =>
    Promise.resolve(log.splice(0).map((requestId) => ({ method: 'GET', path: '/api', requestId }))),
  );
  const asked = (...ids: (string | undefined)[]): void => {
    log.push(...ids);
  };
  return { ledger, asked, count: { calls: 0 } };
}

test('an operation’s calls are its own, whatever the reconciler or a sweep asks in the same moment', async () => {
  const { ledger, asked, count } = ledgerOver();
  asked('reconcile-1', MOUNT, 'pools-1', 'join-1', MOUNT, 'reconcile-1', 'login-1', 'by-hand', OTHER);
  ledger.note(count, MOUNT);
  await ledger.settle();
  expect([count.calls, ledger.strays.length]).toEqual([2, 0]);
});

test('a call that is asked after the answer counts all the same', async () => {
  const { ledger, asked, count } = ledgerOver();
  asked(MOUNT);
  ledger.note(count, MOUNT);
  asked(MOUNT, OTHER);
  await ledger.settle();
  expect(count.calls).toBe(2);
});

test('the most of several operations stays', async () => {
  const { ledger, asked, count } = ledgerOver();
  ledger.note(count, MOUNT);
  ledger.note(count, OTHER);
  asked(MOUNT, MOUNT, MOUNT, OTHER);
  await ledger.settle();
  ledger.note(count, GET);
  asked(GET);
  await ledger.settle();
  expect(count.calls).toBe(3);
});

test('what operations at once ask together is theirs, and nobody else’s', async () => {
  const { ledger, asked, count } = ledgerOver();
  const alone = { calls: 0 };
  ledger.noteTogether(count, [MOUNT, OTHER]);
  asked(MOUNT, 'lookup-1', 'reconcile-1', 'lookup-2');
  await ledger.settle();
  expect([count.calls, ledger.strays.length]).toEqual([3, 0]);
  ledger.note(alone, GET);
  asked(GET, 'lookup-3');
  await ledger.settle();
  expect([alone.calls, ledger.strays.length]).toEqual([1, 1]);
});

test('a call that says nothing of whose it is, or something unheard of, is seen', async () => {
  const { ledger, asked } = ledgerOver();
  asked(undefined, '', 'sweep-1', OTHER);
  await ledger.settle();
  asked(undefined);
  await ledger.settle();
  expect(ledger.strays).toEqual(Array.from({ length: 4 }, () => 'GET /api'));
});
