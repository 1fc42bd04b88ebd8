import { open } from 'node:fs/promises';
import { addMapping, createPolicy } from 'scaleio-simulator/operations';
import { asHostId, asPolicyId, type VolumeId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import { storageArrayCompliance } from '../../compliance/storage-array.ts';
import type { DomainLayout, HostView, OpenArray } from '../../compliance/storage-array/subject.ts';
import { clientOf, simulated, soon } from './simulated.ts';

const BLOCK = 512;
const VERSIONS = ['2.6', '3.6', '4.5'] as const;

async function sizeOf(array: StorageArray, id: VolumeId): Promise<number | undefined> {
  return (await array.getVolume(id, soon()))?.sizeKiB;
}

/** Both hosts have a client of their own, as their plugins have. */
async function openSimulated(
  version: (typeof VERSIONS)[number],
  layout: readonly DomainLayout[],
): Promise<OpenArray> {
  const domains = layout.map(({ domain, pools }) => ({
    name: domain,
    pools: pools.map((name) => ({ name })),
  }));
  const { simulator, gateway } = await simulated({ version, domains });
  const hostOf = async (digit: string, array = clientOf(simulator)): Promise<HostView> => {
    const guid = `${digit.repeat(8)}-aaaa-bbbb-cccc-${digit.repeat(12)}`;
    const { id } = await simulator.connectSdc({ guid, ip: `10.0.0.${digit}` });
    return { array, hostId: asHostId(id), guid };
  };
  return {
    one: await hostOf('1', gateway),
    two: await hostOf('2'),
    stranger: {
      array: gateway,
      hostId: asHostId('fffffffe00000001'),
      guid: '99999999-9999-9999-9999-999999999999',
    },
    outside: {
      now: () => Date.now(),
      io: (hostId, volumeId, operations) => {
        const [reads, writes] = [1, operations - 1];
        const report = { volumeId, readKiB: 4, reads, writeKiB: 4 * writes, writes, seconds: 1 };
        simulator.array.io.add(hostId, [report]);
        return Promise.resolve();
      },
      write: async (volumeId, text) => {
        const { files } = simulator.array;
        await files.ensure(volumeId, (await sizeOf(gateway, volumeId)) ?? 0);
        const file = await open(files.path(volumeId), 'r+');
        await file.write(Buffer.alloc(BLOCK, 0).fill(text, 0, text.length), 0, BLOCK, 0);
        await file.close();
      },
      written: async (volumeId) => {
        const { files } = simulator.array;
        if (!files.has(volumeId)) return '';
        const file = await open(files.path(volumeId), 'r');
        const { buffer } = await file.read(Buffer.alloc(BLOCK), 0, BLOCK, 0);
        await file.close();
        return buffer.toString('utf8').replaceAll('\0', '');
      },
      makePolicy: async (name) => {
        const plan = { cadenceMinutes: 60, retained: [24], paused: false, secure: false };
        const policy = await simulator.array.perform((cluster) =>
          createPolicy(cluster, { ...plan, name, accessMode: 'ReadOnly' }),
        );
        return asPolicyId(policy.id);
      },
      attachToAll: (volumeId) =>
        simulator.array.perform((cluster) => {
          addMapping(cluster, { volumeId, sdc: 'all', multi: true });
        }),
      silence: (guid) => {
        simulator.silence(guid);
        return Promise.resolve();
      },
    },
  };
}

for (const version of VERSIONS)
  storageArrayCompliance(`the gateway client at a simulated array of version ${version}`, (layout) =>
    openSimulated(version, layout),
  );
