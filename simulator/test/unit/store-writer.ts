import { writeSync } from 'node:fs';
import { createVolume } from '../../src/mdm/volumes.ts';
import { limitsOf, type Cluster } from '../../src/mdm/cluster.ts';
import { layOut } from '../../src/mdm/layout.ts';
import { StateStore } from '../../src/store/state-store.ts';

/** Makes volumes until it is killed, and writes each one's id to stdout once it is saved. */
const [, , dir = '', durability = 'process'] = process.argv;
const store = await StateStore.open({
  dir,
  durability: durability === 'machine' ? 'machine' : 'process',
  journalBytes: 20_000,
});
const { state } = store;
const cluster: Cluster = {
  state,
  version: '3.6',
  limits: limitsOf('3.6'),
  movementKiBPerSecond: 1,
  now: () => 0,
  isConnected: () => false,
  writtenKiB: () => 0,
  hasFile: () => false,
  writtenVolumes: () => [],
};
if (state.systems.size === 0) {
  const pools = [{ name: 'sp1', devices: 3, deviceGiB: 4096 }];
  const domains = [{ name: 'pd1', sdss: 3, faultSets: [], pools }];
  const plan = { id: '14dbbf5617523654', installId: '1', name: null, mdmIps: ['10.0.0.1'], domains };
  await store.transact(() => {
    layOut(cluster, { ...plan, restrictedSdcMode: 'None' });
  }).saved;
}
const [pool] = state.pools.values();
for (;;) {
  const { result, saved } = store.transact(() =>
    createVolume(cluster, { sizeKiB: 1, poolId: pool?.id ?? '', type: 'ThinProvisioned' }),
  );
  await saved;
  writeSync(1, `${result.id}\n`);
  await new Promise(setImmediate);
}
