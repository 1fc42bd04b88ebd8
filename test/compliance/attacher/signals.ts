import { describe, expect, test } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import type { Attacher, Device } from '../../../src/attach/attacher.ts';
import type { OpenAttacher, OpenHost } from './subject.ts';
import { arrived, find, hold } from './scene.ts';
import { soon } from '../soon.ts';

type Call = (host: OpenHost, device: Device, signal: AbortSignal) => Promise<unknown>;

/** Each method that has a signal; the device is that of the first volume. */
const CALLS: Readonly<Record<Exclude<keyof Attacher, 'findDevice'>, Call>> = {
  guid: ({ attacher }, _, signal) => attacher.guid(signal),
  waitForDevice: ({ attacher, systemId, volumes }, _, signal) =>
    attacher.waitForDevice(systemId, volumes[0], signal),
  holdDevice: ({ attacher, systemId, volumes }, device, signal) =>
    attacher.holdDevice(systemId, volumes[0], device, signal),
  rescan: ({ attacher }, _, signal) => attacher.rescan(signal),
  assertUsable: ({ attacher, systemId }, _, signal) => attacher.assertUsable(systemId, signal),
};

export function attacherSignalCases(open: OpenAttacher): void {
  test.each(Object.entries(CALLS))('ends %s', async (_, call) => {
    const host = await open({ patient: true });
    const device = await arrived(host, host.volumes[0]);
    const ended = host.settle(call(host, device, AbortSignal.abort()));
    await expect(ended).rejects.toBeInstanceOf(CancelledError);
  });

  test('ends a look at what is held, which stays held', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const held = await hold(host, id, await arrived(host, id));
    await expect(held.assertSame(AbortSignal.abort())).rejects.toBeInstanceOf(CancelledError);
    await held.assertSame(soon());
    await held.close();
  });

  describe('while a device is waited for', () => {
    test('ends the wait, and the device comes all the same', async () => {
      const host = await open({ patient: true });
      const [id] = host.volumes;
      const controller = new AbortController();
      const waiting = host.attacher.waitForDevice(host.systemId, id, controller.signal);
      expect(await find(host, id)).toBeUndefined();
      controller.abort();
      await expect(host.settle(waiting)).rejects.toBeInstanceOf(CancelledError);
      await arrived(host, id);
    });
  });
}
