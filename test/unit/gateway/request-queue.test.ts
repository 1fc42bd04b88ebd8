import { expect, test } from 'vitest';
import { RequestQueue } from '../../../src/gateway/wire/request-queue.ts';

const never = new AbortController().signal;

function job(): { work: () => Promise<void>; finish: () => void; started: boolean } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const state = {
    started: false,
    finish: () => {
      resolve(undefined);
    },
    work: async () => {
      state.started = true;
      await promise;
    },
  };
  return state;
}

test('runs no more than the limit, and the rest in the order they came', async () => {
  const queue = new RequestQueue(2);
  const jobs = Array.from({ length: 5 }, job);
  const done = jobs.map(({ work }) => queue.run(never, work));
  await Promise.resolve();
  expect(jobs.map(({ started }) => started)).toEqual([true, true, false, false, false]);
  expect([queue.inFlight, queue.queued]).toEqual([2, 3]);
  jobs[1]?.finish();
  await done[1];
  await expect.poll(() => jobs.map(({ started }) => started)).toEqual([true, true, true, false, false]);
  for (const { finish } of jobs) finish();
  await Promise.all(done);
  expect([queue.inFlight, queue.queued]).toEqual([0, 0]);
});

test('the signal takes a waiting request out of the queue and does not run it', async () => {
  const queue = new RequestQueue(1);
  const first = job();
  const running = queue.run(never, first.work);
  const leaving = new AbortController();
  const left = job();
  const leaves = queue.run(leaving.signal, left.work);
  const last = job();
  const waits = queue.run(never, last.work);
  leaving.abort(new Error('gone'));
  await expect(leaves).rejects.toThrow('gone');
  expect(queue.queued).toBe(1);
  first.finish();
  last.finish();
  await Promise.all([running, waits]);
  expect(left.started).toBe(false);
});

test('a running request keeps its place until it has ended, also when its signal fires', async () => {
  const queue = new RequestQueue(1);
  const leaving = new AbortController();
  const cancelled = job();
  const running = queue.run(leaving.signal, cancelled.work);
  const next = job();
  const waits = queue.run(never, next.work);
  leaving.abort(new Error('gone'));
  await new Promise(setImmediate);
  expect([next.started, queue.inFlight, queue.queued]).toEqual([false, 1, 1]);
  cancelled.finish();
  await running;
  next.finish();
  await waits;
  expect(next.started).toBe(true);
});

test('a failing request makes room for the next', async () => {
  const queue = new RequestQueue(1);
  await expect(queue.run(never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(queue.run(never, () => Promise.resolve(7))).resolves.toBe(7);
});

test('a signal that has fired already runs nothing', async () => {
  const queue = new RequestQueue(1);
  const unused = job();
  await expect(queue.run(AbortSignal.abort(new Error('late')), unused.work)).rejects.toThrow('late');
  expect([unused.started, queue.inFlight]).toEqual([false, 0]);
});
