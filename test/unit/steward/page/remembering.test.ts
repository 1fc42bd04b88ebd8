import { expect, test } from 'vitest';
import { remembering } from '../../../../src/steward/page/remembered-inventory.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import { movementsBetween } from '../../../../src/steward/page/movements.ts';
import { overviewOf } from '../../../../src/steward/page/overview.ts';
import { arrayViewOf, type ArrayView } from '../../../../src/steward/page/array-view.ts';
import { FakeInventory, sdc, sdcId, snapshot, START, volume } from './scene.ts';

const never = new AbortController().signal;
const SILENT = { name: null, address: null, version: null };
const LOST = { ...SILENT, state: 'disconnected' as const };

/** What a remembering inventory says at last, when the array said these one after the other. */
async function lastOf(...said: readonly ArrayHost[]): Promise<ArrayHost | undefined> {
  const array = new FakeInventory();
  const inventory = remembering(array);
  let last: readonly ArrayHost[] = [];
  for (const one of said) {
    array.hosts = [one];
    last = await inventory.readHosts(never);
  }
  return last[0];
}

test('an SDC that is lost keeps name, address and version that it had, marked as such', async () => {
  const known = { name: 'host1', address: '10.0.0.1', version: 'R3_6.0.0' };
  const lost = await lastOf(sdc('host1'), sdc('host1', LOST), sdc('host1', LOST));
  expect(lost).toMatchObject({
    ...known,
    state: 'disconnected' as const,
    lastKnown: ['name', 'address', 'version'],
  });
  const unsaid = await lastOf(sdc('host1'), sdc('host1', { ...SILENT, state: 'unknown' as const }));
  expect(unsaid).toMatchObject({
    ...known,
    state: 'unknown' as const,
    lastKnown: ['name', 'address', 'version'],
  });
  const partly = await lastOf(sdc('host1'), sdc('host1', { ...LOST, name: 'renamed' }));
  expect(partly).toMatchObject({ name: 'renamed', address: '10.0.0.1', lastKnown: ['address', 'version'] });
});

test('what the array says of an SDC that is there counts, also that it has no name', async () => {
  const back = await lastOf(
    sdc('host1'),
    sdc('host1', LOST),
    sdc('host1', { name: null, address: '10.0.0.9' }),
  );
  expect(back).toMatchObject({ name: null, address: '10.0.0.9' });
  expect(back?.lastKnown).toBeUndefined();
  expect(await lastOf(sdc('host1', { name: null }), sdc('host1', LOST))).toMatchObject({
    name: null,
    address: '10.0.0.1',
    lastKnown: ['address', 'version'],
  });
  expect(await lastOf(sdc('host2', LOST))).toEqual(sdc('host2', LOST));
});

test('an SDC that the array no longer lists is known by what it was, and a mapping by its address', async () => {
  const array = new FakeInventory();
  const inventory = remembering(array);
  array.hosts = [sdc('host1'), sdc('host2', { name: null })];
  await inventory.readHosts(never);
  array.hosts = [];
  array.volumes = [volume('db', ['host1', 'host3'])];
  await inventory.readHosts(never);
  expect(['host1', 'host2', 'host3'].map((host) => inventory.formerly?.(sdcId(host)))).toEqual([
    ...['host1', '10.0.0.2', undefined],
  ]);
  const [db] = await inventory.readVolumes(never);
  expect(db?.attachments.map(({ hostAddress }) => hostAddress)).toEqual(['10.0.0.1', null]);
});

test('holds the 10,000 SDCs last seen', async () => {
  const array = new FakeInventory();
  const inventory = remembering(array);
  const read = async (...hosts: readonly string[]): Promise<void> => {
    array.hosts = hosts.map((host) => sdc(host));
    await inventory.readHosts(never);
  };
  await read('kept', 'dropped');
  await read(...Array.from({ length: 9999 }, (_, index) => `host${index}`), 'kept');
  expect(inventory.formerly?.(sdcId('kept'))).toBe('kept');
  expect(inventory.formerly?.(sdcId('dropped'))).toBeUndefined();
});

test.each([
  ['host1', 'host1 (last known name)', 'host1'],
  [null, '10.0.0.1 (last known address)', '10.0.0.1'],
])('page and timeline go on calling a lost host %s what it was', async (name, told, label) => {
  const array = new FakeInventory();
  const inventory = remembering(array);
  const look = async (isLost: boolean, holder: string, before?: ArrayView): Promise<ArrayView> => {
    array.volumes = [volume('db', [holder])];
    array.hosts = [sdc('host1', { name, ...(isLost ? LOST : {}) }), sdc('host2')];
    const sdcs = await inventory.readHosts(never);
    return arrayViewOf(
      'docker-',
      { volumes: await inventory.readVolumes(never), hosts: sdcs },
      START,
      before,
    );
  };
  const first = await look(false, 'host1');
  const lost = await look(true, 'host1', first);
  const taken = await look(true, 'host2', lost);
  const texts = [movementsBetween(first, lost), movementsBetween(lost, taken)].flat().map(({ text }) => text);
  expect(texts).toEqual([
    `host ${told} has lost the array; it holds 1 volume`,
    `volume "db" was taken over by host2 from ${told}, which had lost the array`,
  ]);
  const watch = {
    sighting: lost,
    revision: 1,
    freshness: () => CURRENT,
    timeline: () => [],
    movesOf: () => [],
  };
  const io = { revision: 0, nowOf: () => undefined };
  const sources = { snapshot, watch, io, now: () => START, prefix: 'docker-', intervalMs: 60_000 };
  const { hosts, volumes } = overviewOf(sources, { search: label, limit: 9, order: 'name' });
  expect(hosts.shown.find(({ id }) => id === sdcId('host1'))).toMatchObject({
    label,
    ip: '10.0.0.1',
    version: 'R3_6.0.0',
    lastKnown: ['label', 'ip', 'version'],
  });
  expect(hosts.shown.find(({ id }) => id === sdcId('host2'))?.lastKnown).toEqual([]);
  expect(volumes.shown[0]?.holders).toMatchObject([{ label, isLastKnown: true, ip: '10.0.0.1' }]);
});

const CURRENT = { readAt: null, state: 'current' as const, failure: null } as const;
