import { addMapping } from 'scaleio-simulator/operations';
import { asHostId } from '../../../src/array/ids.ts';
import { storageArrayCompliance } from '../../compliance/storage-array.ts';
import type { DomainLayout, HostView, OpenArray } from '../../compliance/storage-array/subject.ts';
import { clientOf, simulated } from './simulated.ts';

const VERSIONS = ['2.6', '3.6', '4.5'] as const;

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
