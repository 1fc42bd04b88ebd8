import { describe, expect, it } from 'vitest';
import { asHostId } from '../../../src/array/ids.ts';
import type { Attachment } from '../../../src/array/volume.ts';
import { FilesystemError } from '../../../src/errors.ts';
import { carriedLimits } from '../../../src/volumes/limits/limits.ts';
import { dataActionsOn, dataActionsWithout } from '../../../src/volumes/data-actions.ts';
import type { LimitRequest } from '../../../src/volumes/operator-actions.ts';
import { rejection } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import type { Hook } from './world/steps.ts';
import { World } from './world/world.ts';

const limit = (): AbortSignal => new AbortController().signal;
const growth = { follow: () => Promise.resolve({ kind: 'not-mounted' as const }) };
const FAST = { name: 'db', iops: 5000, bandwidthKiBps: 204_800 };

const failing =
  (method: string, error: Error): Hook =>
  (point) =>
    point.method === method && point.side === 'before' ? error : 'go';

/** "db", made on the first host; what operators ask of each host's plugin. */
async function scene(options: Record<string, string> = {}) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  for (const host of world.hosts) host.mayFence = true;
  await world.run(one.life.create('db', options));
  const ask = (host: FakeHost, wanted: LimitRequest = FAST) =>
    world.run(
      dataActionsOn(host.life.host, { lock: host.life.lock, growth, freezer: host.kernel.freezer }).limit(
        wanted,
        limit(),
      ),
    );
  const has = (host: FakeHost) => {
    const { limitIops, limitBandwidthKiBps } = world.volume('db').mappings.get(host.sdcId) ?? {};
    return [limitIops, limitBandwidthKiBps];
  };
  const labelled = () => [world.content('db').label?.iops, world.content('db').label?.bandwidthKiBps];
  return { world, one, two, ask, has, labelled };
}

it('limits a volume at once where it is mounted, and writes it down for every later host', async () => {
  const { world, one, two, ask, has, labelled } = await scene();
  await world.run(one.life.mount('db', 'a'));
  one.life.gateway.calls.clear();
  expect(await ask(one)).toEqual({
    iops: 5000,
    bandwidthKiBps: 204_800,
    holders: ['host1 (10.0.0.1)'],
    keptBy: 'label',
  });
  expect(one.life.gateway.totalCalls).toBe(2);
  expect([has(one), labelled()]).toEqual([
    [5000, 204_800],
    [5000, 204_800],
  ]);
  await world.run(one.life.unmount('db', 'a'));
  await world.run(two.life.mount('db', 'b'));
  expect(has(two)).toEqual([5000, 204_800]);
});

it('leaves the limit that nobody speaks of as it is, and lifts one', async () => {
  const { world, one, ask, has, labelled } = await scene({ iops: '100', bandwidth: '10MiB' });
  await world.run(one.life.mount('db', 'a'));
  await ask(one, { name: 'db', iops: null, bandwidthKiBps: 20_480 });
  expect([has(one), labelled()]).toEqual([
    [100, 20_480],
    [100, 20_480],
  ]);
  await ask(one, { name: 'db', iops: 0, bandwidthKiBps: null });
  expect([has(one), labelled()]).toEqual([
    [0, 20_480],
    [0, 20_480],
  ]);
});

it('mounts a volume that nobody has for the moment that it takes to write the limits down', async () => {
  const { world, two, ask, labelled } = await scene();
  // Who it is itself a host asks once.
  await world.run(two.life.reconcile());
  two.life.gateway.calls.clear();
  expect(await ask(two)).toMatchObject({ keptBy: 'label', holders: [] });
  expect(labelled()).toEqual([5000, 204_800]);
  expect(two.life.gateway.totalCalls).toBeLessThanOrEqual(6);
  expect(world.volume('db').mappings.size).toBe(0);
  expect(two.life.host.journal.all()).toEqual([]);
});

it('leaves nothing behind when that fails half-way', async () => {
  const { world, two, ask, labelled } = await scene();
  two.life.steps.hook = failing('writeLabel', new FilesystemError('no room'));
  await expect(ask(two)).rejects.toThrow('no room');
  two.life.steps.hook = () => 'go';
  expect(labelled()).toEqual([0, 0]);
  await world.pass(120_000);
  await world.run(two.life.reconcile());
  expect(world.volume('db').mappings.size).toBe(0);
});

it('limits a volume of another host at once, and that host writes it down', async () => {
  const { world, one, two, ask, has, labelled } = await scene();
  await world.run(one.life.mount('db', 'a'));
  expect(await ask(two)).toMatchObject({ keptBy: 'holder' });
  expect([has(one), labelled()]).toEqual([
    [5000, 204_800],
    [0, 0],
  ]);
  await world.run(one.life.reconcile());
  expect(labelled()).toEqual([5000, 204_800]);
  one.life.gateway.calls.clear();
  await world.run(one.life.reconcile());
  expect(one.life.gateway.totalCalls).toBe(1);
});

it("takes for somebody's wish only what differs from the limits that this host has set itself", async () => {
  const { world, one, labelled } = await scene({ iops: '100' });
  await world.run(one.life.mount('db', 'a'));
  await world.run(one.life.reconcile());
  expect(labelled()).toEqual([100, 0]);
  const mapping = world.volume('db').mappings.get(one.sdcId);
  if (mapping === undefined) throw new Error('it is mounted');
  world.volume('db').mappings.set(one.sdcId, { ...mapping, limitIops: 0 });
  await world.run(one.life.reconcile());
  expect(labelled()).toEqual([0, 0]);
});

it('takes limits over from a dead host, but never that there are none', async () => {
  const { world, one, two, has, labelled } = await scene({ iops: '100' });
  await world.run(one.life.mount('db', 'a'));
  const mapping = world.volume('db').mappings.get(one.sdcId);
  if (mapping === undefined) throw new Error('it is mounted');
  world.volume('db').mappings.set(one.sdcId, { ...mapping, limitIops: 777 });
  one.powerOff();
  await world.run(two.life.mount('db', 'b'));
  expect([has(two), labelled()]).toEqual([
    [777, 0],
    [777, 0],
  ]);
  world.volume('db').mappings.set(two.sdcId, { ...mapping, limitIops: 0 });
  two.powerOff();
  await world.run(one.reboot().mount('db', 'c'));
  expect([has(one), labelled()]).toEqual([
    [777, 0],
    [777, 0],
  ]);
});

it('does by itself, where no plugin runs, what the array alone can do', async () => {
  const { world, one, two, has } = await scene();
  const { lock, host } = two.life;
  const without = dataActionsWithout({ ...host, prefix: 'docker-', lock });
  await expect(world.run(without.limit(FAST, limit()))).rejects.toThrow('no plugin runs here');
  await world.run(one.life.mount('db', 'a'));
  expect(await world.run(without.limit(FAST, limit()))).toMatchObject({ keptBy: 'holder' });
  expect(has(one)).toEqual([5000, 204_800]);
});

it('refuses what cannot be limited, and says why', async () => {
  const { world, one, two, ask } = await scene();
  await expect(ask(one, { ...FAST, name: 'other' })).rejects.toThrow('the array has no such volume');
  await world.run(two.life.host.array.limitToReadOnly(world.volume('db').id, limit()));
  await expect(ask(one)).rejects.toThrow('limited to reading');
  await world.run(one.life.mount('db', 'a'));
  expect(await ask(one)).toMatchObject({ keptBy: 'nobody', iops: 5000 });
  world.volume('db').mappedToAllSdcs = true;
  await expect(ask(one)).rejects.toThrow('every host may use it');
});

it('says what the array refuses, and has written nothing down then', async () => {
  const { world, one, ask, labelled } = await scene();
  await world.run(one.life.mount('db', 'a'));
  one.life.steps.hook = failing('limitAttachment', rejection('other', 'too many limits'));
  await expect(ask(one)).rejects.toThrow('too many limits');
  expect(labelled()).toEqual([0, 0]);
});

it("writes into no label but the volume's own", async () => {
  const { world, one, ask, labelled } = await scene();
  await world.run(one.life.mount('db', 'a'));
  const content = world.content('db');
  const own = content.label;
  if (own === undefined) throw new Error('it has one');
  content.label = { ...own, volumeId: 'f'.repeat(16) };
  await expect(ask(one)).rejects.toThrow('it has that of another volume; nothing was changed');
  content.label = own;
  one.kernel.mounts = one.kernel.mounts.map((mount) => ({ ...mount, deviceNumber: '9:9' }));
  await expect(ask(one)).rejects.toThrow('its device is not mounted at');
  expect(labelled()).toEqual([0, 0]);
});

it('knows no limits for a host that has the volume over NVMe/TCP', async () => {
  const { world, one, two, ask } = await scene();
  const sdc = world.array.sdcs.get(one.sdcId);
  if (sdc === undefined) throw new Error('it is known');
  await world.run(one.life.mount('db', 'a'));
  world.array.sdcs.set(one.sdcId, { ...sdc, kind: 'nvme' });
  await expect(ask(two)).rejects.toThrow('over NVMe/TCP, for which the array knows no limits');
});

describe('limits that a volume comes with', () => {
  const attachment = (hostId: string, limitIops: number, hostKind: 'sdc' | 'nvme' = 'sdc'): Attachment => ({
    hostId: asHostId(hostId),
    hostKind,
    hostName: null,
    hostAddress: null,
    accessMode: 'ReadWrite',
    limitIops,
    limitBandwidthKiBps: 0,
  });
  it.each([
    ['of the one host that had it', [attachment('other', 100)], { iops: 100, bandwidthKiBps: 0 }],
    ['are unclear of several', [attachment('other', 100), attachment('third', 200)], undefined],
    ['are none of this host itself', [attachment('me', 100)], undefined],
    ['are none where there are none', [attachment('other', 0)], undefined],
    ['are none of an NVMe host', [attachment('other', 100, 'nvme')], undefined],
    ['are none of nobody', [], undefined],
  ] as const)('%s', (_which, attachments, expected) => {
    expect(carriedLimits({ attachments }, asHostId('me'))).toEqual(expected);
  });
});
