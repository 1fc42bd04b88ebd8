import { describe, expect, test } from 'vitest';
import { Driver } from '../../../src/docker/driver.ts';
import { AddressWitness } from '../../../src/volumes/address-witness.ts';
import { dataActionsOn } from '../../../src/volumes/data-actions.ts';
import { OwnIdentity } from '../../../src/volumes/identity.ts';
import { VolumeLock } from '../../../src/volumes/life/volume-lock.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import type { VolumeHost } from '../../../src/volumes/volume-host.ts';
import { World } from '../../unit/volumes/world/world.ts';
import { seenByKernel } from './seen-by-kernel.ts';
import { simulated, soon } from './simulated.ts';

/* A restore over the real client, at a simulated array of each version, on a host whose disks are played. */

const GUID = '11111111-1111-1111-1111-111111111111';

async function scene(version: '2.6' | '3.6' | '4.5') {
  const world = new World();
  const host = world.host(1);
  host.guid = GUID;
  host.kernel.deviceDelayMs = 0;
  const clock = { ...host.life.host.clock, sleep: () => Promise.resolve() };
  const { simulator, gateway, calls } = await simulated({ version });
  await simulator.connectSdc({ guid: GUID, ip: host.ip });
  const array = seenByKernel(gateway, world, host.sdcId);
  const { log, attacher } = host.life.host;
  const sole = { claim: () => Promise.resolve(undefined) };
  const witness = new AddressWitness(() => [host.ip], clock, log);
  const known = { prefix: 'docker-', endpoints: simulator.urls };
  const identity = new OwnIdentity({ array, attacher, sole, witness }, known);
  const core: VolumeHost = { ...host.life.host, array, clock, identity };
  const lock = new VolumeLock(clock);
  const driver = new Driver(core, { defaults: BUILT_IN_DEFAULTS, classes: new Map() }, lock, () => undefined);
  const growth = { follow: () => Promise.resolve({ kind: 'not-mounted' as const }) };
  const actions = dataActionsOn(core, { lock, growth, freezer: host.kernel.freezer });
  await driver.create('db', {}, host.life.call());
  const wish = { names: ['db'], snapshot: 'before', expireMs: null, secureForMinutes: null };
  const [taken] = await actions.takeSnapshots(wish, soon());
  return { world, gateway, calls, driver, actions, taken, call: () => host.life.call() };
}

const idIn = (path: string): string => path.replaceAll(/::[0-9a-f]{16}/g, '');

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  test('a volume gets the content of its snapshot in nine calls, and the array has it free again', async () => {
    const { world, gateway, calls, actions, taken } = await scene(version);
    calls();
    const restored = await actions.restore({ name: 'db', snapshot: 'before', keepMs: null }, soon());
    const overwriting = version === '2.6' ? 'revertSnapshot' : 'overwriteVolumeContent';
    expect(calls().map(idIn)).toEqual([
      'GET /api/instances/Volume',
      'GET /api/instances/VTree/relationships/Volume',
      'POST /api/instances/System/action/snapshotVolumes',
      'POST /api/instances/Volume/action/addMappedSdc',
      'POST /api/instances/System/action/snapshotVolumes',
      'POST /api/types/Volume/instances/action/queryBySelectedIds',
      `POST /api/instances/Volume/action/${overwriting}`,
      'POST /api/instances/Volume/action/removeVolume',
      'POST /api/instances/Volume/action/removeMappedSdc',
    ]);
    const { snapshots } = await actions.listSnapshots({ name: 'db' }, soon());
    expect(snapshots.map(({ snapshot }) => snapshot).sort()).toEqual(['before', restored.keptAs]);
    expect(taken?.snapshot).toBe('before');
    const volume = await gateway.getVolume(world.volume('db').id, soon());
    expect([volume?.name, volume?.attachments]).toEqual(['docker-db', []]);
    expect(world.array.violations).toEqual([]);
  });

  test('while the volume is mounted it is refused, and nothing is asked for', async () => {
    const { calls, driver, actions, call } = await scene(version);
    await driver.mount('db', 'a', call());
    calls();
    const wish = { name: 'db', snapshot: 'before', keepMs: null };
    await expect(actions.restore(wish, soon())).rejects.toThrow('stop what uses it there first');
    expect(calls().map(idIn)).toEqual(['GET /api/instances/Volume']);
  });
});
