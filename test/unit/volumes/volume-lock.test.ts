import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import { VolumeLock } from '../../../src/volumes/life/volume-lock.ts';

const never = new AbortController().signal;

function build() {
  const clock = {
    time: 1000,
    elapsed() {
      return this.time;
    },
  };
  return { clock, lock: new VolumeLock(clock) };
}

describe('VolumeLock', () => {
  it('answers what the work answers, and rejects as the work rejects', async () => {
    const { lock } = build();
    const failure = new Error('no');
    await expect(lock.run('db', 'Mount', never, () => Promise.resolve(7))).resolves.toBe(7);
    await expect(lock.run('db', 'Mount', never, () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(
      lock.run('db', 'Mount', never, () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    await expect(lock.run('db', 'Mount', never, () => Promise.resolve(8))).resolves.toBe(8);
    expect(lock.holders()).toEqual([]);
  });

  it('serves one volume in the order of asking and others at the same time', async () => {
    const { lock } = build();
    const order: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const add = (name: string) => () => {
      order.push(name);
      return Promise.resolve();
    };
    const slow = lock.run('db', 'Mount', never, async () => {
      await gate.promise;
      order.push('db 1');
    });
    const waiters = [
      lock.run('db', 'Mount', never, add('db 2')),
      lock.run('db', 'Mount', never, add('db 3')),
    ];
    await lock.run('DB', 'Mount', never, add('DB'));
    expect(order).toEqual(['DB']);
    gate.resolve(undefined);
    await Promise.all([slow, ...waiters]);
    expect(order).toEqual(['DB', 'db 1', 'db 2', 'db 3']);
  });

  it('serves a volume in one order, whether it is known by its name or by that on the array', async () => {
    const lock = new VolumeLock({ elapsed: () => 0 }, (name) => `docker-${name}`);
    const order: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const slow = lock.run('db', 'Mount', never, async () => {
      await gate.promise;
      order.push('Mount');
    });
    const look = lock.runOnArrayName('docker-db', 'look', never, () => Promise.resolve(order.push('look')));
    await lock.runOnArrayName('db', 'look', never, () => Promise.resolve(order.push('another')));
    expect(lock.holders()).toEqual([{ name: 'db', task: 'Mount', heldMs: 0, waiting: 1 }]);
    gate.resolve(undefined);
    await Promise.all([slow, look]);
    expect(order).toEqual(['another', 'Mount', 'look']);
  });

  it('tells who gave up waiting for whom, and never starts the abandoned work', async () => {
    const { lock, clock } = build();
    const gate = Promise.withResolvers<undefined>();
    const controller = new AbortController();
    const slow = lock.run('db', 'Create', never, async () => {
      await gate.promise;
    });
    let started = false;
    const waiter = lock.run('db', 'Mount', controller.signal, () => {
      started = true;
      return Promise.resolve();
    });
    expect(lock.holders()).toMatchObject([{ name: 'db', task: 'Create', waiting: 1 }]);
    clock.time += 12_000;
    controller.abort();
    await expect(waiter).rejects.toThrow(CancelledError);
    await expect(waiter).rejects.toThrow(
      'Mount of volume "db" gave up waiting for Create, which has run for 12 s',
    );
    expect(lock.holders()).toEqual([{ name: 'db', task: 'Create', heldMs: 12_000, waiting: 0 }]);
    gate.resolve(undefined);
    await slow;
    await lock.run('db', 'Mount', never, () => Promise.resolve());
    expect(started).toBe(false);
    expect(lock.holders()).toEqual([]);
  });

  it('refuses at once when the signal fired before', async () => {
    const { lock } = build();
    const run = lock.run('db', 'Mount', AbortSignal.abort(), () => Promise.reject(new Error('ran')));
    await expect(run).rejects.toThrow('Mount of volume "db" was cancelled before it began');
  });

  it('lets running work finish when its signal fires', async () => {
    const { lock } = build();
    const controller = new AbortController();
    const gate = Promise.withResolvers<undefined>();
    const run = lock.run('db', 'Mount', controller.signal, async () => {
      await gate.promise;
      return 'done';
    });
    await lock.run('other', 'Mount', never, () => Promise.resolve());
    controller.abort();
    gate.resolve(undefined);
    await expect(run).resolves.toBe('done');
  });

  it('holds a thousand waiters for names that objects know by themselves', async () => {
    const { lock } = build();
    const names = ['__proto__', 'constructor', 'toString'];
    const runs = Array.from({ length: 1500 }, (_, index) =>
      lock.run(names[index % 3] ?? '', 'Mount', never, () => Promise.resolve(index)),
    );
    await expect(Promise.all(runs)).resolves.toHaveLength(1500);
  });

  it('never lets two pieces of work touch one volume, whatever aborts or fails', async () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b'),
      ticks: fc.nat(4),
      end: fc.constantFrom('answer', 'fail', 'abort'),
      abortAfter: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { lock } = build();
        const inside = new Map<string, number>();
        const runs = steps.map(async ({ name, ticks, end, abortAfter }) => {
          const controller = new AbortController();
          const run = lock.run(name, 'Mount', controller.signal, async () => {
            inside.set(name, (inside.get(name) ?? 0) + 1);
            for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
            const together = inside.get(name);
            inside.set(name, (together ?? 0) - 1);
            if (together !== 1) throw new RangeError(`${String(together)} at once`);
            if (end === 'fail') throw new Error('failed');
          });
          const settled = run.catch((error: unknown) => error);
          for (let tick = 0; tick < abortAfter; tick += 1) await Promise.resolve();
          if (end === 'abort') controller.abort();
          return settled;
        });
        const results = await Promise.all(runs);
        expect(results.filter((result) => result instanceof RangeError)).toEqual([]);
        expect(lock.holders()).toEqual([]);
      }),
    );
  });
});
