import { describe, expect, it } from 'vitest';
import { ReplaceableDriver } from '../../../src/docker/replaceable-driver.ts';
import { refusingDriver } from '../../../src/docker/refusing-driver.ts';
import type { CallContext, VolumeDriver } from '../../../src/docker/volume-driver.ts';
import { ConfigError } from '../../../src/errors.ts';

const never = new AbortController().signal;
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
    const driver = new ReplaceableDriver(pathing(() => Promise.resolve('/old')));
    await expect(driver.replace(() => Promise.reject(new ConfigError('none')))).rejects.toThrow('none');
    expect(await driver.path('db', call)).toBe('/old');
  });
});
