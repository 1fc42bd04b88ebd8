import { describe, expect, it } from 'vitest';
import { ReplaceableDriver } from '../../../src/docker/replaceable-driver.ts';
import { refusingDriver } from '../../../src/docker/refusing-driver.ts';
import type { CallContext, VolumeDriver } from '../../../src/docker/volume-driver.ts';
import { CancelledError, ConfigError } from '../../../src/errors.ts';

const never = new AbortController().signal;
/** Time that never passes by itself. */
const standing = { sleep: (_ms: number, signal: AbortSignal) => aborted(signal) };

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new CancelledError('cancelled'));
    });
  });
}

const call: CallContext = { signal: never, clientGone: never, requestId: 'r1' };

/** A driver that knows one call. */
function pathing(path: VolumeDriver['path']): VolumeDriver {
  return { ...refusingDriver(new ConfigError('not this one')), path };
}

describe('a driver that another takes the place of', () => {
  it('ends its calls before the other is made, and hands new ones to the other', async () => {
    const gate = Promise.withResolvers<string>();
    const order: string[] = [];
    const driver = new ReplaceableDriver(
      pathing(async () => {
        const path = await gate.promise;
        order.push('old call ended');
        return path;
      }),
      standing,
    );
    const underWay = driver.path('db', call);
    await Promise.resolve();
    const replaced = driver.replace(() => {
      order.push('other made');
      return Promise.resolve(pathing(() => Promise.resolve('/new')));
    });
    const held = driver.path('db', call);
    gate.resolve('/old');
    await replaced;
    expect([await underWay, await held]).toEqual(['/old', '/new']);
    expect(order).toEqual(['old call ended', 'other made']);
  });

  it('goes on when there is no other', async () => {
    const driver = new ReplaceableDriver(
      pathing(() => Promise.resolve('/old')),
      standing,
    );
    await expect(driver.replace(() => Promise.reject(new ConfigError('none')))).rejects.toThrow('none');
    expect(await driver.path('db', call)).toBe('/old');
  });

  it('goes on when its calls do not end, and says which they are', async () => {
    const gate = Promise.withResolvers<string>();
    const waits: number[] = [];
    const paths = [gate.promise, Promise.resolve('/old')];
    const driver = new ReplaceableDriver(
      pathing(() => paths.shift() ?? Promise.reject(new Error('one call too many'))),
      {
        sleep: (ms) => {
          waits.push(ms);
          return Promise.resolve();
        },
      },
    );
    const hanging = driver.path('db', call);
    const replacing = driver.replace(() => Promise.reject(new Error('two at once')));
    const held = driver.path('other', call);
    await expect(replacing).rejects.toThrow('calls under way have not ended within 120 s: Path of "db"; ');
    expect(waits).toEqual([120_000]);
    expect(await held).toBe('/old');
    gate.resolve('/late');
    expect(await hanging).toBe('/late');
    await driver.replace(() => Promise.resolve(pathing(() => Promise.resolve('/new'))));
    expect(await driver.path('db', call)).toBe('/new');
  });
});
