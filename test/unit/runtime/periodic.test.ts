import { describe, expect, it } from 'vitest';
import { Periodic, randomShare, spreadOut, type PeriodicParts } from '../../../src/runtime/periodic.ts';
import { turn, VirtualClock } from '../volumes/world/virtual-clock.ts';

type Given = Partial<Omit<PeriodicParts, 'clock' | 'onError'>>;

/** One that is started, every 1000 ms unless told otherwise; `at` has when each turn began, `errors` what was told. */
async function started(given: Given = {}) {
  const clock = new VirtualClock();
  const began = clock.elapsed();
  const at: number[] = [];
  const errors: unknown[] = [];
  const periodic = new Periodic({
    clock,
    pauseMs: () => 1000,
    onError: (error) => void errors.push(error),
    ...given,
    turn: async (signal) => {
      at.push(clock.elapsed() - began);
      await given.turn?.(signal);
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      await turn();
      clock.advance(Math.min(left, 100));
    }
    await turn();
  };
  periodic.start();
  await turn();
  return { clock, periodic, at, errors, pass };
}

/** A turn that lasts until it is let go. */
function held() {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const letGo = (): void => {
    resolve(undefined);
  };
  return { ended: promise.then(() => undefined), letGo };
}

describe('Periodic', () => {
  it('takes a turn at once and one after each pause, which begins when the turn has ended', async () => {
    const long = held();
    let turns = 0;
    const { at, pass } = await started({ turn: () => ((turns += 1) === 2 ? long.ended : undefined) });
    expect(at).toEqual([0]);
    await pass(5000);
    expect(at).toEqual([0, 1000]);
    long.letGo();
    await pass(1000);
    expect(at).toEqual([0, 1000, 6000]);
  });

  it('waits before the first turn when it is told to, and takes no turn after the last', async () => {
    const { at, pass } = await started({ firstMs: 300, pauseMs: () => undefined });
    await pass(200);
    expect(at).toEqual([]);
    await pass(5000);
    expect(at).toEqual([300]);
  });

  it('takes no second series of turns when it is started again', async () => {
    const { at, periodic, pass } = await started();
    periodic.start();
    await pass(1000);
    expect(at).toEqual([0, 1000]);
    await periodic.stop();
    periodic.start();
    await pass(3000);
    expect(at).toEqual([0, 1000]);
  });

  it('stops at once in a pause', async () => {
    const { at, periodic, pass, errors } = await started();
    await periodic.stop();
    await pass(3000);
    expect([at, errors]).toEqual([[0], []]);
  });

  it('stops when the turn under way has ended, which is told by its signal', async () => {
    const long = held();
    const told = held();
    const { at, periodic, pass } = await started({
      turn: (signal) => {
        signal.addEventListener('abort', told.letGo);
        return long.ended;
      },
    });
    let isStopped = false;
    const stopped = periodic.stop().then(() => {
      isStopped = true;
    });
    await told.ended;
    await pass(2000);
    expect(isStopped).toBe(false);
    long.letGo();
    await stopped;
    await pass(3000);
    expect(at).toEqual([0]);
  });

  it('takes no turn when it is stopped before it was started', async () => {
    const clock = new VirtualClock();
    let turns = 0;
    const periodic = new Periodic({
      clock,
      turn: () => void (turns += 1),
      pauseMs: () => 1,
      onError: () => undefined,
    });
    await periodic.stop();
    periodic.start();
    await turn();
    expect(turns).toBe(0);
  });

  it('tells what a turn throws, once, and takes the next all the same', async () => {
    const failure = new TypeError('a bug');
    let turns = 0;
    const { at, errors, pass } = await started({
      turn: () => {
        if ((turns += 1) === 1) throw failure;
      },
    });
    await pass(1000);
    expect([at, errors]).toEqual([[0, 1000], [failure]]);
  });

  it('does not tell of what its own end has cut short', async () => {
    const { periodic, errors } = await started({
      turn: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('cut short'));
          });
        }),
    });
    await periodic.stop();
    expect(errors).toEqual([]);
  });

  it('gives a turn no more than its limit', async () => {
    const late = held();
    const { periodic } = await started({
      limitMs: 1,
      turn: (signal) => {
        signal.addEventListener('abort', late.letGo);
        return late.ended;
      },
    });
    await late.ended;
    await periodic.stop();
  });

  it('runs a turn, and the telling of its failure, within what is around them', async () => {
    const order: string[] = [];
    const clock = new VirtualClock();
    const periodic = new Periodic({
      clock,
      turn: () => {
        order.push('turn');
        throw new Error('x');
      },
      pauseMs: () => 1000,
      onError: () => void order.push('told'),
      around: async (work) => {
        order.push('begin');
        await work();
        order.push('end');
      },
    });
    periodic.start();
    await turn();
    expect(order).toEqual(['begin', 'turn', 'told', 'end']);
    await periodic.stop();
  });
});

describe('the next turn', () => {
  it('comes sooner when it is hastened, and never later', async () => {
    const { at, periodic, pass } = await started();
    await pass(200);
    periodic.within(300);
    await pass(100);
    periodic.within(5000);
    periodic.within(900);
    await pass(200);
    expect(at).toEqual([0, 500]);
    await pass(900);
    expect(at).toEqual([0, 500]);
    await pass(100);
    expect(at).toEqual([0, 500, 1500]);
  });

  it('comes at once when it is due already', async () => {
    const { at, periodic, pass } = await started();
    await pass(400);
    periodic.within(-5);
    await turn();
    expect(at).toEqual([0, 400]);
  });

  it('comes soon, too, when it is hastened in the middle of a turn', async () => {
    const long = held();
    let turns = 0;
    const { at, periodic, pass } = await started({
      turn: () => ((turns += 1) === 1 ? long.ended : undefined),
    });
    periodic.within(100);
    await pass(500);
    expect(at).toEqual([0]);
    long.letGo();
    await turn();
    expect(at).toEqual([0, 500]);
    await pass(900);
    expect(at).toEqual([0, 500]);
  });
});

describe('chance', () => {
  const clock = (hex: string) => ({ randomHex: () => hex });

  it('is from 0 to 1', () => {
    expect(['0000', '8000', 'ffff'].map((hex) => randomShare(clock(hex)))).toEqual([
      0,
      expect.closeTo(0.5, 3),
      1,
    ]);
  });

  it('spreads a time to both sides', () => {
    const spread = ['0000', '8000', 'ffff'].map((hex) => spreadOut(1000, 0.1, clock(hex)));
    expect(spread).toEqual([900, expect.closeTo(1000, 0), 1100]);
  });
});
