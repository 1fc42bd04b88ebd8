import { expect, test } from 'vitest';
import type { SystemId } from '../../../src/array/ids.ts';
import type { OpenAttacher } from './subject.ts';
import { arrived, find, MISSING, wait } from './scene.ts';
import { soon } from '../soon.ts';

export function deviceCases(open: OpenAttacher): void {
  test('there is none of a volume that the host has not', async () => {
    const host = await open({ patient: true });
    const [mine, other] = host.volumes;
    expect(await find(host, mine)).toBeUndefined();
    await arrived(host, mine);
    expect(await find(host, other)).toBeUndefined();
  });

  test('is that of its volume, by link, node, number and size, whoever asks how often', async () => {
    const host = await open({ patient: true });
    const [one, two] = host.volumes;
    const device = await arrived(host, one);
    expect(device.path).toMatch(new RegExp(`/emc-vol-${host.systemId}-${one}$`));
    expect(device.node).toMatch(/^\/dev\/\w+$/);
    expect(device.number).toMatch(/^\d+:\d+$/);
    expect(device.sizeBytes).toBe(host.sizeBytes);
    expect(device.diskSequence).toMatch(/^\d+$/);
    expect(device.heldPath).toBeUndefined();
    expect(await find(host, one)).toEqual(device);
    expect(await wait(host, one)).toEqual(device);
    const other = await arrived(host, two);
    for (const fact of ['path', 'node', 'number', 'diskSequence'] as const)
      expect(other[fact], fact).not.toBe(device[fact]);
    expect(await find(host, one)).toEqual(device);
  });

  test('there is none of a volume with this id of another system', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    await arrived(host, id);
    const elsewhere = 'aaaaaaaaaaaaaaaa' as SystemId;
    expect(await host.attacher.findDevice(elsewhere, id)).toBeUndefined();
  });

  test('is gone when the volume was taken, and another disk when it was given again', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const before = await arrived(host, id);
    await host.outside.take(id);
    expect(await find(host, id)).toBeUndefined();
    const { diskSequence } = await arrived(host, id);
    expect(diskSequence).not.toBe(before.diskSequence);
  });

  test('is not there once its link is lost', async () => {
    const host = await open({ patient: false });
    const [id] = host.volumes;
    await arrived(host, id);
    await host.outside.loseLinks();
    expect(await find(host, id)).toBeUndefined();
    await expect(wait(host, id)).rejects.toMatchObject(MISSING);
  });

  test('is waited for until it appears', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const waiting = host.attacher.waitForDevice(host.systemId, id, soon());
    expect(await find(host, id)).toBeUndefined();
    await host.outside.give(id);
    const device = await host.settle(waiting);
    expect(await find(host, id)).toEqual(device);
  });

  test('appears although its news was lost, because the SDC is asked to look again', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    await host.outside.giveUnheard(id);
    expect(await find(host, id)).toBeUndefined();
    const device = await wait(host, id);
    expect(await find(host, id)).toEqual(device);
  });

  test('is missing when it has not come after the wait', async () => {
    const host = await open({ patient: false });
    const [mine, other] = host.volumes;
    await arrived(host, other);
    await expect(wait(host, mine)).rejects.toMatchObject(MISSING);
  });

  test('has the size that its volume was given, once the SDC has looked again', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const before = await arrived(host, id);
    await host.outside.double(id);
    await host.attacher.rescan(soon());
    expect(await find(host, id)).toEqual({ ...before, sizeBytes: 2 * host.sizeBytes });
  });
}
