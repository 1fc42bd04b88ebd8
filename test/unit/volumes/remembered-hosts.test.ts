import { expect, test } from 'vitest';
import { describeHolder } from '../../../src/volumes/takeover/holders.ts';
import type { KnownHosts, KnownSdc, StorageArray } from '../../../src/volumes/ports.ts';
import { rememberingHosts } from '../../../src/volumes/remembered-hosts.ts';
import { describeStatus } from '../../../src/docker/status.ts';
import type { ArrayVolume, Mapping, Sdc, SdcId, VolumeId } from '../../../src/volumes/volume.ts';

const never = new AbortController().signal;
const id = 'a'.repeat(16) as SdcId;
const volumeId = 'b'.repeat(16) as VolumeId;
type Said = Pick<Mapping, 'sdcName' | 'sdcIp'>;

/** An array that says of the holder what a test sets, through the memory. */
function scene() {
  const known = new Map<SdcId, KnownSdc>();
  const hosts: KnownHosts = {
    lastKnown: (sdcId) => known.get(sdcId),
    remember: (sdcId, said) => void known.set(sdcId, said),
  };
  let says: Said = { sdcName: null, sdcIp: null };
  const volume = (): ArrayVolume => ({
    ...{ id: volumeId, name: 'docker-db', sizeKiB: 1, kind: 'thin', storagePoolId: '' as never },
    ...{ vtreeId: '' as never, ancestorId: null, createdAtSeconds: 0, accessModeLimit: 'ReadWrite' },
    mappings: [{ sdcId: id, ...says, accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 }],
    mappedToAllSdcs: false,
  });
  const answers = {
    getVolume: () => Promise.resolve(volume()),
    getVolumes: () => Promise.resolve([volume()]),
    listVolumes: () => Promise.resolve([volume()]),
    volumesOfSdc: () => Promise.resolve([volume()]),
    volumesOfVtree: () => Promise.resolve([volume()]),
  };
  let sdc: Partial<Sdc> = {};
  const getSdc = (): Promise<Sdc> => Promise.resolve({ id, ...sdc } as Sdc);
  const array = rememberingHosts(
    { ...answers, getSdc, findSdcByGuid: getSdc } as unknown as StorageArray,
    hosts,
  );
  const ways: Readonly<Record<string, () => Promise<ArrayVolume | undefined>>> = {
    getVolume: () => array.getVolume(volumeId, never),
    getVolumes: async () => (await array.getVolumes([volumeId], never))[0],
    listVolumes: async () => (await array.listVolumes(() => true, never))[0],
    volumesOfSdc: async () => (await array.volumesOfSdc(id, never))[0],
    volumesOfVtree: async () => (await array.volumesOfVtree('' as never, never))[0],
  };
  const look = async (said: Said, way = 'getVolume'): Promise<Mapping> => {
    says = said;
    const mapping = (await ways[way]?.())?.mappings[0];
    if (mapping === undefined) throw new Error('no mapping');
    return mapping;
  };
  const lookAtSdc = async (said: Partial<Sdc>): Promise<void> => {
    sdc = said;
    await array.getSdc(id, never);
  };
  return { array, ways: Object.keys(ways), look, lookAtSdc };
}

const NOTHING = { sdcName: null, sdcIp: null };

test('a holder of which the array says nothing any more is called what it was, however it is looked up', async () => {
  for (const way of scene().ways) {
    const { look } = scene();
    expect(describeHolder(await look(NOTHING, way))).toBe(id);
    expect(describeHolder(await look({ sdcName: 'host1', sdcIp: '10.0.0.1' }, way))).toBe('host1 (10.0.0.1)');
    expect(describeHolder(await look(NOTHING, way))).toBe('host1 (10.0.0.1, last known)');
  }
});

test.each([
  [{ sdcName: null, sdcIp: '10.0.0.1' }, '10.0.0.1 (last known)'],
  [{ sdcName: 'host1', sdcIp: null }, 'host1 (last known)'],
])('with what was known of it: %j', async (said, words) => {
  const { look } = scene();
  await look(said);
  expect(describeHolder(await look(NOTHING))).toBe(words);
});

test('a new name counts, and what the array says is not called last known', async () => {
  const { look } = scene();
  await look({ sdcName: 'old', sdcIp: '10.0.0.1' });
  expect(describeHolder(await look({ sdcName: 'new', sdcIp: null }))).toBe('new (10.0.0.1, last known)');
  expect(describeHolder(await look(NOTHING))).toBe('new (10.0.0.1, last known)');
  const told = await look({ sdcName: 'new', sdcIp: '10.0.0.2' });
  expect(told.lastKnown).toBeUndefined();
});

test('an SDC that is there and has no name any more loses it; one that is away keeps it', async () => {
  const { look, lookAtSdc } = scene();
  await lookAtSdc({ name: 'host1', ip: '10.0.0.1', state: 'connected' });
  await lookAtSdc({ name: null, ip: null, state: 'disconnected' });
  expect(describeHolder(await look(NOTHING))).toBe('host1 (10.0.0.1, last known)');
  await lookAtSdc({ name: null, ip: '10.0.0.1', state: 'connected' });
  expect(describeHolder(await look(NOTHING))).toBe('10.0.0.1 (last known)');
});

test('the address that decides is the one that the array says, not the remembered one', async () => {
  const { look } = scene();
  await look({ sdcName: 'host1', sdcIp: '10.0.0.1' });
  expect(await look(NOTHING)).toMatchObject({ sdcName: null, sdcIp: null });
});

test('Status says it, too', async () => {
  const { look, array } = scene();
  await look({ sdcName: 'host1', sdcIp: '10.0.0.1' });
  await look(NOTHING);
  const volume = await array.getVolume(volumeId, never);
  const known = { ...{ name: 'db', arrayName: 'docker-db', volumeId, sizeKiB: 0, createdAtSeconds: 0 } };
  const status = describeStatus({
    known: { ...known, storagePoolId: '', readOnly: false, label: undefined },
    ...{ volume, pool: undefined, entry: undefined, stale: false, lastFence: undefined },
    ...{ marker: undefined, self: undefined },
  });
  expect(status['mappedTo']).toEqual([{ sdc: 'host1', ip: '10.0.0.1', lastKnown: true }]);
});
