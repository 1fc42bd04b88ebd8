import { describe, expect, test } from 'vitest';
import { AuditTrail } from '../../../../src/steward/audit.ts';
import { Cleaner } from '../../../../src/steward/cleanup/cleaner.ts';
import type { Inventory } from '../../../../src/array/storage-array.ts';
import { FakeGateway } from '../../volumes/world/fake-gateway.ts';
import type { FakeHost } from '../../volumes/world/fake-host.ts';
import { engineCreate, useVolume } from '../../volumes/world/scenarios.ts';
import { describePoint, type Point } from '../../volumes/world/steps.ts';
import { World } from '../../volumes/world/world.ts';
import { HOUR, MINUTE, RULES, hostId } from './scene.ts';

/** The longest way to a volume: with a failover marker, and with limits. */
const OPTIONS = { fs: 'ext4', mount: 'commit=30', iops: '100', failover: 'always' };

/** The lists of the array that the plugin's own tests play with. */
function inventoryOf({ array }: World): Inventory {
  return {
    readVolumes: () => Promise.resolve([...array.volumes.values()].map((volume) => array.describe(volume))),
    readHosts: () => Promise.resolve([...array.sdcs.values()]),
  };
}

/** A day passes, and then two hours with a steward. */
async function stewardComes(world: World): Promise<AuditTrail> {
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const start = world.clock.now();
  const clock = {
    now: () => world.clock.now(),
    elapsed: () => world.clock.now() - start,
    sleep: (ms: number, signal: AbortSignal) => world.clock.sleep(ms, signal),
    randomHex: (digits: number) => '0'.repeat(digits),
  };
  const audit = new AuditTrail({ clock, log });
  const mine = { sdcId: hostId(99), name: 'steward', mayFence: true, gatewayUp: true };
  const array = new FakeGateway(world.array, world.clock, mine);
  const cleaner = new Cleaner({ inventory: inventoryOf(world), array, clock, audit, log }, RULES);
  await world.pass(24 * HOUR);
  for (let round = 0; round < 12; round += 1) {
    await world.run(cleaner.round(new AbortController().signal));
    await world.pass(10 * MINUTE);
  }
  return audit;
}

async function pointsOfCreate(): Promise<readonly Point[]> {
  const world = new World(2);
  await world.run(world.host(1).life.create('db', OPTIONS));
  return [...world.host(1).life.steps.points];
}

/** A Create that ends at this point, as the plugin does. */
async function dieAt(point: Point): Promise<{ world: World; host: FakeHost }> {
  const world = new World(2);
  const host = world.host(1);
  const { steps } = host.life;
  steps.hook = ({ number }) => (number === point.number ? 'die' : 'go');
  await world.runToEnd(host.life.create('db', OPTIONS), host.life);
  return { world, host };
}

const names = ({ array }: World): string[] => [...array.volumes.values()].map(({ name }) => name);

const points = await pointsOfCreate();

describe.each(points.map((point) => [describePoint(point), point] as const))(
  'a Create that dies at %s',
  (_, point) => {
    test('with its host leaves nothing when the steward was there, or the whole volume', async () => {
      const { world, host } = await dieAt(point);
      host.powerOff();
      await stewardComes(world);
      const isThere = world.exists('db');
      const ofArray = world.leaks().filter((leak) => !leak.startsWith('host1'));
      expect([ofArray, names(world).length]).toEqual([[], isThere ? 2 : 0]);
      // And when the host comes back after all, it finds nothing to do and nothing in its way.
      host.reboot();
      await world.reconcileAll();
      expect(world.leaks()).toEqual([]);
      await engineCreate(world, 'db', OPTIONS);
      await useVolume(world, 'after');
      await world.reconcileAll();
      expect(world.leaks()).toEqual([]);
    });

    test('on a host that is there is left to that host', async () => {
      const { world } = await dieAt(point);
      const before = names(world);
      const audit = await stewardComes(world);
      expect(names(world)).toEqual(before);
      expect(audit.last.map(({ outcome }) => outcome)).toEqual(
        before.some((name) => name.startsWith('~new.')) ? ['blocked'] : [],
      );
      expect(world.array.fences).toEqual([]);
    });
  },
);
