import { asHostId, asPolicyId, asPoolId, asSystemId, type VolumeId } from '../../../src/array/ids.ts';
import type { Device } from '../../../src/attach/attacher.ts';
import { attacherCompliance } from '../../compliance/attacher.ts';
import type { OpenHost } from '../../compliance/attacher/subject.ts';
import { filesystemsCompliance } from '../../compliance/filesystems.ts';
import type { OpenFilesystemHost } from '../../compliance/filesystems/subject.ts';
import { storageArrayCompliance } from '../../compliance/storage-array.ts';
import type { DomainLayout, HostView, OpenArray } from '../../compliance/storage-array/subject.ts';
import { FakeGateway } from './world/fake-gateway.ts';
import type { StoredVolume } from './world/fake-array.ts';
import { FakeFilesystems } from './world/fake-filesystems.ts';
import { FakeSdc, volumeIdOfPath } from './world/fake-sdc.ts';
import { World } from './world/world.ts';

/** The world of the searches, whose array tests of the core stand on. */
function openWorld(version: string, layout: readonly DomainLayout[]): OpenArray {
  const world = new World(2);
  const { array, clock } = world;
  array.version = version;
  array.pools.clear();
  layout.forEach(({ domain, pools }, domainIndex) => {
    pools.forEach((name, index) => {
      const id = asPoolId(`d0d00000${domainIndex}000000${index}`);
      const domainId = `dd0000000000000${domainIndex}`;
      array.pools.set(id, { id, name, domainId, domainName: domain, zeroPadding: true });
    });
  });
  const viewOf = (hostId: HostView['hostId'], guid: string): HostView => {
    const host = { sdcId: hostId, name: guid, mayFence: true, gatewayUp: true };
    return { array: new FakeGateway(array, clock, host), hostId, guid };
  };
  const [one, two] = [world.host(1), world.host(2)];
  return {
    one: viewOf(one.sdcId, one.guid),
    two: viewOf(two.sdcId, two.guid),
    stranger: viewOf(asHostId('fffffffe00000001'), 'GUID-9'),
    outside: {
      now: () => clock.now(),
      io: (_, volumeId, operations) => {
        array.existing(volumeId).recentIo += operations;
        return Promise.resolve();
      },
      write: (volumeId, text) => {
        array.existing(volumeId).content = { kind: 'foreign', what: text };
        return Promise.resolve();
      },
      written: (volumeId) => {
        const { content } = array.existing(volumeId);
        return Promise.resolve(content.kind === 'foreign' ? content.what : '');
      },
      makePolicy: (name) => {
        const id = asPolicyId(`9999999${array.policies.size}00000000`);
        array.policies.set(id, {
          id,
          name,
          isActive: true,
          cadenceMinutes: 60,
          retained: [24],
          access: 'ReadOnly',
          isSecure: false,
          lastTakenAtSeconds: null,
          nextAtSeconds: Math.floor(clock.now() / 1000) + 3600,
        });
        return Promise.resolve(id);
      },
      attachToAll: (volumeId) => {
        array.existing(volumeId).mappedToAllSdcs = true;
        return Promise.resolve();
      },
      silence: (guid) => {
        const host = world.hosts.find((each) => each.guid === guid);
        if (host !== undefined) array.setConnected(host.sdcId, false);
        return Promise.resolve();
      },
    },
  };
}

for (const version of ['2.6', '3.6', '4.5'])
  storageArrayCompliance(`the in-memory world, version ${version}`, (layout) =>
    Promise.resolve(openWorld(version, layout)),
  );

/** A host of that world, without a plugin. */
function openHost(): OpenHost {
  const world = new World();
  const { array, clock } = world;
  const { guid, kernel, sdcId } = world.host(1);
  const systemId = asSystemId(array.systemId);
  const sdc = new FakeSdc({ kernel, clock, guid, systemId });
  const made = (name: string): VolumeId => addVolume(world, name).id;
  const [mine, other, stranger] = [made('docker-db'), made('docker-web'), made('docker-stranger')];
  return {
    attacher: sdc,
    guid,
    systemId,
    volumes: [mine, other],
    sizeBytes: array.existing(mine).sizeKiB * 1024,
    outside: {
      give: (id) =>
        happens(() => {
          array.map(id, sdcId, false);
        }),
      giveUnheard: (id) =>
        happens(() => {
          kernel.hearsNothing = true;
          array.map(id, sdcId, false);
        }),
      take: (id) =>
        happens(() => {
          array.unmap(id, sdcId);
        }),
      replace: (id) => happens(() => void kernel.swapped.set(id, array.existing(stranger))),
      double: (id) =>
        happens(() => {
          array.grow(id, 2 * array.existing(id).sizeKiB);
        }),
      loseLinks: () => happens(() => void (sdc.linksLost = true)),
      breakSdc: (problem) => happens(() => void (sdc.problem = problem)),
    },
    settle: (begun) => world.run(begun),
  };
}

/** The same host as one that mounts. */
function openFilesystemHost(): OpenFilesystemHost {
  const world = new World();
  const { array, clock } = world;
  const { guid, kernel, name: hostName, sdcId } = world.host(1);
  const systemId = asSystemId(array.systemId);
  const sdc = new FakeSdc({ kernel, clock, guid, systemId });
  const midway = (): Promise<void> => Promise.resolve();
  const found = async (id: VolumeId): Promise<Device> =>
    world.run(sdc.waitForDevice(systemId, id, AbortSignal.timeout(50_000)));
  const volumeAt = (mountpoint: string): StoredVolume => {
    const mount = kernel.mountAt(mountpoint);
    if (mount === undefined) throw new Error(`nothing is mounted at "${mountpoint}"`);
    return mount.volume;
  };
  let volumes = 0;
  const blank = (): Promise<Device> => {
    const { id } = addVolume(world, `~new.${(volumes += 1)}`);
    array.map(id, sdcId, false);
    return found(id);
  };
  return {
    filesystems: new FakeFilesystems({ kernel, array, clock, hostName, midway }),
    canGrow: true,
    outside: {
      putForeign: ({ path }) =>
        happens(() => {
          array.existing(volumeIdOfPath(path)).content = { kind: 'foreign', what: 'swap' };
        }),
      double: ({ path, sizeBytes }) => {
        const id = volumeIdOfPath(path);
        array.grow(id, (2 * sizeBytes) / 1024);
        kernel.rescan();
        return found(id);
      },
      flush: () => Promise.resolve(),
      copyOf: ({ path }) => {
        const name = `~new.${(volumes += 1)}`;
        const { id } = array.snapshot(volumeIdOfPath(path), name, 1_700_000_000);
        array.map(id, sdcId, false);
        return found(id);
      },
      openFile: async (mountpoint) => {
        await happens(() => void kernel.openFiles.add(mountpoint));
        return () =>
          happens(() => {
            kernel.openFiles.delete(mountpoint);
            kernel.letGo(`open file below ${mountpoint}`);
          });
      },
      freeze: async (mountpoint) => {
        const volume = volumeAt(mountpoint);
        await happens(() => void kernel.frozen.add(volume));
        return () => happens(() => void kernel.frozen.delete(volume));
      },
    },
    blank,
    gone: async () => {
      const device = await blank();
      array.unmap(volumeIdOfPath(device.path), sdcId);
      return device;
    },
  };
}

function addVolume({ array }: World, name: string): StoredVolume {
  const [pool] = array.pools.keys();
  if (pool === undefined) throw new Error('the world has no pool');
  return array.add({ name, storagePoolId: pool, createdAtSeconds: 1_700_000_000 });
}

function happens(event: () => void): Promise<void> {
  return new Promise((resolve) => {
    event();
    resolve();
  });
}

attacherCompliance('the in-memory world', () => Promise.resolve(openHost()));
filesystemsCompliance('the in-memory world', () => Promise.resolve(openFilesystemHost()));
