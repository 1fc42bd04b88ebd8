import { expect, test } from 'vitest';
import { describeHolder } from '../../../src/volumes/takeover/holders.ts';
import type { ArrayHost } from '../../../src/array/host.ts';
import { asArrayName, type HostId, type VolumeId } from '../../../src/array/ids.ts';
import { asVolumeName } from '../../../src/volumes/volume.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../../src/array/volume.ts';
import type { KnownHosts, KnownHost } from '../../../src/volumes/ports.ts';
import { rememberingHosts } from '../../../src/volumes/remembered-hosts.ts';
import { describeStatus } from '../../../src/docker/status.ts';

const never = new AbortController().signal;
const id = 'a'.repeat(16) as HostId;
const volumeId = 'b'.repeat(16) as VolumeId;
type Said = Pick<Attachment, 'hostName' | 'hostAddress'>;

/** An array that says of the holder what a test sets, through the memory. */
function scene() {
  const known = new Map<HostId, KnownHost>();
  const hosts: KnownHosts = {
    lastKnown: (hostId) => known.get(hostId),
    remember: (hostId, said) => void known.set(hostId, said),
  };
  let says: Said = { hostName: null, hostAddress: null };
  const volume = (): ArrayVolume => ({
    id: volumeId,
    name: 'docker-db',
    sizeKiB: 1,
    kind: 'thin',
    poolId: '' as never,
    familyId: '' as never,
    ancestorId: null,
    createdAtSeconds: 0,
    accessModeLimit: 'ReadWrite',
    groupId: null,
    secureUntilSeconds: null,
    policyId: null,
    madeByPolicy: false,
    attachments: [
      { hostId: id, hostKind: 'sdc', ...says, accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 },
    ],
    attachedToAll: false,
  });
  const answers = {
    getVolume: () => Promise.resolve(volume()),
    getVolumes: () => Promise.resolve([volume()]),
    listVolumes: () => Promise.resolve([volume()]),
    volumesOfHost: () => Promise.resolve([volume()]),
    volumesOfFamily: () => Promise.resolve([volume()]),
  };
  let sdc: Partial<ArrayHost> = {};
  const getHost = (): Promise<ArrayHost> => Promise.resolve({ id, ...sdc } as ArrayHost);
  const array = rememberingHosts(
    { ...answers, getHost, findHost: getHost } as unknown as StorageArray,
    hosts,
  );
  const ways: Readonly<Record<string, () => Promise<ArrayVolume | undefined>>> = {
    getVolume: () => array.getVolume(volumeId, never),
    getVolumes: async () => (await array.getVolumes([volumeId], never))[0],
    listVolumes: async () => (await array.listVolumes(() => true, never))[0],
    volumesOfHost: async () => (await array.volumesOfHost(id, never))[0],
    volumesOfFamily: async () => (await array.volumesOfFamily(volume(), never))[0],
  };
  const look = async (said: Said, way = 'getVolume'): Promise<Attachment> => {
    says = said;
    const attachment = (await ways[way]?.())?.attachments[0];
    if (attachment === undefined) throw new Error('no mapping');
    return attachment;
  };
  const lookAtSdc = async (said: Partial<ArrayHost>): Promise<void> => {
    sdc = said;
    await array.getHost(id, never);
  };
  return { array, ways: Object.keys(ways), look, lookAtSdc };
}

const NOTHING = { hostName: null, hostAddress: null };

test('a holder of which the array says nothing any more is called what it was, however it is looked up', async () => {
  for (const way of scene().ways) {
    const { look } = scene();
    expect(describeHolder(await look(NOTHING, way))).toBe(id);
    expect(describeHolder(await look({ hostName: 'host1', hostAddress: '10.0.0.1' }, way))).toBe(
      'host1 (10.0.0.1)',
    );
    expect(describeHolder(await look(NOTHING, way))).toBe('host1 (10.0.0.1, last known)');
  }
});

test.each([
  [{ hostName: null, hostAddress: '10.0.0.1' }, '10.0.0.1 (last known)'],
  [{ hostName: 'host1', hostAddress: null }, 'host1 (last known)'],
])('with what was known of it: %j', async (said, words) => {
  const { look } = scene();
  await look(said);
  expect(describeHolder(await look(NOTHING))).toBe(words);
});

test('a new name counts, and what the array says is not called last known', async () => {
  const { look } = scene();
  await look({ hostName: 'old', hostAddress: '10.0.0.1' });
  expect(describeHolder(await look({ hostName: 'new', hostAddress: null }))).toBe(
    'new (10.0.0.1, last known)',
  );
  expect(describeHolder(await look(NOTHING))).toBe('new (10.0.0.1, last known)');
  const told = await look({ hostName: 'new', hostAddress: '10.0.0.2' });
  expect(told.lastKnown).toBeUndefined();
});

test('an SDC that is there and has no name any more loses it; one that is away keeps it', async () => {
  const { look, lookAtSdc } = scene();
  await lookAtSdc({ name: 'host1', address: '10.0.0.1', state: 'connected' });
  await lookAtSdc({ name: null, address: null, state: 'disconnected' });
  expect(describeHolder(await look(NOTHING))).toBe('host1 (10.0.0.1, last known)');
  await lookAtSdc({ name: null, address: '10.0.0.1', state: 'connected' });
  expect(describeHolder(await look(NOTHING))).toBe('10.0.0.1 (last known)');
});

test('the address that decides is the one that the array says, not the remembered one', async () => {
  const { look } = scene();
  await look({ hostName: 'host1', hostAddress: '10.0.0.1' });
  expect(await look(NOTHING)).toMatchObject({ hostName: null, hostAddress: null });
});

test('Status says it, too', async () => {
  const { look, array } = scene();
  await look({ hostName: 'host1', hostAddress: '10.0.0.1' });
  await look(NOTHING);
  const volume = await array.getVolume(volumeId, never);
  const known = {
    name: asVolumeName('db'),
    arrayName: asArrayName('docker-db'),
    volumeId,
    sizeKiB: 1,
    createdAtSeconds: null,
  };
  const status = describeStatus({
    known: { ...known, poolId: null, readOnly: false, label: undefined },
    volume,
    pool: undefined,
    entry: undefined,
    stale: false,
    lastFence: undefined,
    marker: undefined,
    self: undefined,
  });
  expect(status['mappedTo']).toEqual([{ sdc: 'host1', ip: '10.0.0.1', lastKnown: true }]);
});
