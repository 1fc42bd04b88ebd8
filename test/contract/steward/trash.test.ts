import { expect, test } from 'vitest';
import { AuditTrail } from '../../../src/steward/audit.ts';
import { TrashKeeper } from '../../../src/steward/cleanup/trash-keeper.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { markerName } from '../../../src/volumes/naming.ts';
import { goneName, trashName } from '../../../src/volumes/trash/trash-names.ts';
import { asVolumeId, type VolumeId } from '../../../src/array/ids.ts';
import { newVolume, simulated, soon } from '../gateway/simulated.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HOST = { guid: 'B0E3BFB8-C20B-43BF-93C8-13339E85AA51', ip: '10.0.0.1' };

/** A steward before a simulated gateway, whose time passes when the test says so. */
async function scene(version: '2.6' | '3.6' | '4.5') {
  const { simulator, gateway } = await simulated({ version });
  let passedMs = 0;
  const clock = {
    ...systemClock,
    now: () => Date.now() + passedMs,
    elapsed: () => systemClock.elapsed() + passedMs,
  };
  const audit = new AuditTrail({ clock, log: silentLog });
  const keeper = new TrashKeeper(
    { array: gateway, clock, audit, log: silentLog },
    {
      act: true,
      erases: true,
      prefix: 'docker-',
      graceMs: 24 * HOUR_MS,
      every: MINUTE_MS,
      leastAge: HOUR_MS,
      eraseAbove: 90,
    },
  );
  const removed = async (name: string, policy?: 'always'): Promise<VolumeId> => {
    const id = await gateway.createVolume(await newVolume(gateway, `docker-${name}`), soon());
    if (policy !== undefined) await gateway.snapshotVolume(id, markerName(policy, id), soon());
    await gateway.renameVolume(id, trashName('docker-', name, id, clock.now()), soon());
    return id;
  };
  const nameOf = async (id: string): Promise<string | null | undefined> =>
    (await gateway.getVolume(asVolumeId(id), soon()))?.name;
  const round = async (afterMs: number, usedPercent = 50): Promise<void> => {
    passedMs += afterMs;
    const { pools } = await gateway.capacity.readCluster(soon());
    await keeper.round(
      pools.map(({ id }) => ({ id, usedPercent })),
      soon(),
    );
  };
  return { simulator, gateway, keeper, audit, removed, nameOf, round };
}

test.each(['2.6', '3.6', '4.5'] as const)(
  'a steward at an array of version %s erases what is over its time, in two steps, and nothing that a host has',
  async (version) => {
    const { simulator, gateway, keeper, audit, removed, nameOf, round } = await scene(version);
    const [plain, marked, had] = [await removed('db'), await removed('web', 'always'), await removed('kept')];
    await simulator.connectSdc(HOST);
    const host = await gateway.findHost(HOST.guid, soon());
    if (host === undefined) throw new Error('the array does not know the host');
    await gateway.attachVolume({ volumeId: had, hostId: host.id, readOnly: false }, soon());

    await round(0);
    expect(keeper.held).toMatchObject([{ volumes: 3 }]);
    await round(23 * HOUR_MS);
    expect(await nameOf(plain)).toMatch(/^~rm\./);

    await round(2 * HOUR_MS);
    expect([await nameOf(plain), await nameOf(marked)]).toEqual([
      goneName('docker-', plain),
      goneName('docker-', marked),
    ]);
    // Seen so for the first time, and then not for long enough.
    await round(MINUTE_MS);
    await round(4 * MINUTE_MS);
    expect(await nameOf(plain)).toBe(goneName('docker-', plain));

    await round(2 * MINUTE_MS);
    expect([await nameOf(plain), await nameOf(marked)]).toEqual([undefined, undefined]);
    expect(await nameOf(had)).toMatch(/^~rm\./);
    expect(await gateway.listVolumeNames((name) => name, soon())).toEqual([await nameOf(had)]);
    expect(audit.last.filter(({ outcome }) => outcome === 'done')).toHaveLength(4);
  },
);

test('in a pool that is too full it takes one at a time, the longest removed first, and none younger than an hour', async () => {
  const { removed, nameOf, round } = await scene('3.6');
  const first = await removed('first');
  await round(0, 95);
  await round(2 * MINUTE_MS, 95);
  const second = await removed('second');
  await round(MINUTE_MS, 95);
  await round(49 * MINUTE_MS, 95);
  expect(await nameOf(first)).toMatch(/^~rm\./);
  await round(12 * MINUTE_MS, 95);
  expect(await nameOf(first)).toBe(goneName('docker-', first));
  // The other is an hour old by now, and waits for the first to be gone.
  await round(2 * MINUTE_MS, 95);
  expect(await nameOf(second)).toMatch(/^~rm\./);
  await round(6 * MINUTE_MS, 95);
  expect(await nameOf(first)).toBeUndefined();
  await round(2 * MINUTE_MS, 80);
  await round(2 * MINUTE_MS, 80);
  expect(await nameOf(second)).toMatch(/^~rm\./);
  await round(2 * MINUTE_MS, 95);
  expect(await nameOf(second)).toBe(goneName('docker-', second));
});
