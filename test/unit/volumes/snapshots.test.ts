import { expect, it, describe } from 'vitest';
import { asVolumeId } from '../../../src/array/ids.ts';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import {
  parseSnapshotName,
  snapshotArrayName,
  splitSnapshot,
  validateSnapshotName,
} from '../../../src/volumes/copies/snapshot-names.ts';
import { dataActionsOn } from '../../../src/volumes/data-actions.ts';
import { isOurs, markOfProvisional, parseMarker } from '../../../src/volumes/naming.ts';
import type { SnapshotsRequest } from '../../../src/volumes/operator-actions.ts';
import { rejection } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import type { Hook, Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const limit = (): AbortSignal => new AbortController().signal;
const growth = { follow: () => Promise.resolve({ kind: 'not-mounted' as const }) };
const ID = asVolumeId('a1b2c3d4e5f60789');

describe('the name of a snapshot on the array', () => {
  it.each([
    { isFrozen: true, expiresAtSeconds: null, name: 'before-upgrade' },
    { isFrozen: false, expiresAtSeconds: 1_795_903_200, name: '20261128-221503' },
    { isFrozen: false, expiresAtSeconds: 3600, name: 'x' },
    { isFrozen: true, expiresAtSeconds: 1_795_903_200, name: 'a234567890123456' },
  ])('says what it is in 31 characters: $name', (named) => {
    const arrayName = snapshotArrayName(ID, named);
    expect(arrayName.length).toBeLessThanOrEqual(31);
    expect(parseSnapshotName(ID, arrayName)).toEqual(named);
    expect([isOurs('', arrayName), parseMarker(arrayName), markOfProvisional(arrayName)]).toEqual([
      false,
      undefined,
      undefined,
    ]);
  });

  it('rounds the expiry up to whole hours, so nothing goes too early', () => {
    const name = snapshotArrayName(ID, { isFrozen: false, expiresAtSeconds: 3601, name: 'x' });
    expect(parseSnapshotName(ID, name)?.expiresAtSeconds).toBe(7200);
  });

  it('is not that of another volume, nor of anything else', () => {
    const name = snapshotArrayName(ID, { isFrozen: false, expiresAtSeconds: null, name: 'x' });
    expect(parseSnapshotName(asVolumeId('a1b2c3d4e5f6078a'), name)).toBeUndefined();
    for (const other of [
      'docker-db@x',
      '~s----.f60789@',
      '~x----.f60789@x',
      '~s----.f60789@x@y',
      `~never.${ID}`,
    ])
      expect(parseSnapshotName(ID, other)).toBeUndefined();
  });

  it.each(['', 'a23456789012345678', 'a b', '-a', 'a@b', 'ä'])('refuses %j with the limit', (name) => {
    expect(() => validateSnapshotName(name)).toThrow('at most 16');
  });

  it('is told from the volume by the last @', () => {
    expect(splitSnapshot('db@x')).toEqual({ volume: 'db', snapshot: 'x' });
    expect(splitSnapshot('a@b@c')).toEqual({ volume: 'a@b', snapshot: 'c' });
    for (const raw of ['db', '@x', 'db@']) expect(splitSnapshot(raw)).toBeUndefined();
  });
});

/** "db" and "files", mounted on the first host; what operators ask of each host's plugin. */
async function scene() {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  for (const name of ['db', 'files']) {
    await run(one.life.create(name));
    await run(one.life.mount(name, 'a'));
  }
  const on = (host: FakeHost) =>
    dataActionsOn(host.life.host, { lock: host.life.lock, growth, freezer: host.kernel.freezer });
  const take = (names: string[], wish: Partial<SnapshotsRequest> = {}, host = one) =>
    run(
      on(host).takeSnapshots(
        { names, snapshot: null, expireMs: null, secureForMinutes: null, ...wish },
        limit(),
      ),
    );
  const list = () => run(on(one).listSnapshots({ name: 'db' }, limit()));
  const remove = (snapshot: string) => run(on(one).removeSnapshot({ name: 'db', snapshot }, limit()));
  const copies = () => [...world.array.volumes.values()].filter(({ kind }) => kind === 'snapshot');
  return { world, one, two, run, take, list, remove, copies };
}

/** When the array is asked for it, what the kernel has frozen by then. */
const noting =
  (seen: number[], host: FakeHost, then: Hook = () => 'go'): Hook =>
  (point) => {
    if (point.method === 'snapshotVolumes' && point.side === 'after') seen.push(host.kernel.frozen.size);
    return then(point);
  };

describe('a snapshot of several volumes', () => {
  it('is taken in one call, frozen, and everything is thawed then', async () => {
    const { one, take, list, copies } = await scene();
    const frozen: number[] = [];
    one.life.steps.hook = noting(frozen, one);
    one.life.gateway.calls.clear();
    const taken = await take(['files', 'db']);
    expect(taken).toMatchObject([
      { volume: 'db', consistency: 'frozen' },
      { volume: 'files', consistency: 'frozen' },
    ]);
    expect(one.life.gateway.calls.get('snapshotVolumes')).toBe(1);
    expect(one.life.gateway.totalCalls).toBe(3);
    expect([frozen, one.kernel.frozen.size]).toEqual([[2], 0]);
    expect(copies()).toHaveLength(2);
    const { snapshots, most } = await list();
    expect(snapshots).toMatchObject([
      { snapshot: taken[0]?.snapshot, consistency: 'frozen', expiresAt: null },
    ]);
    expect(most).toBeGreaterThan(0);
  });

  it('is listed by nobody as a volume', async () => {
    const { world, one, run, take } = await scene();
    await take(['db'], { snapshot: 'x' });
    const { life } = one;
    const listed = await run(life.driver.list(life.call()));
    expect(listed.map(({ name }) => name).sort()).toEqual(['db', 'files']);
    expect((await run(life.get('db@x'))).mountpoint).toBe('');
    expect(world.array.violations).toEqual([]);
  });

  it('says that it is crash-consistent where it was thawed before the array answered, in its name, too', async () => {
    const { world, one, take, list } = await scene();
    one.life.steps.hook = async ({ method, side }): Promise<Verdict> => {
      if (method === 'snapshotVolumes' && side === 'after') await world.clock.sleep(8000, limit());
      return 'go';
    };
    expect(await take(['db'])).toMatchObject([{ consistency: 'crash-consistent' }]);
    expect(one.kernel.frozen.size).toBe(0);
    expect((await list()).snapshots).toMatchObject([{ consistency: 'crash-consistent' }]);
  });

  it('is no more than crash-consistent where somebody thawed it meanwhile', async () => {
    const { one, take } = await scene();
    one.life.steps.hook = ({ method, side }) => {
      if (method === 'snapshotVolumes' && side === 'before') one.kernel.frozen.clear();
      return 'go';
    };
    expect(await take(['db'])).toMatchObject([{ consistency: 'crash-consistent' }]);
  });

  it('is thawed when the array refuses, when no gateway answers, and when who asked gives up', async () => {
    const { one, take, copies } = await scene();
    for (const cause of [
      rejection('family-full', 'too many'),
      new GatewayUnavailableError('nobody answers'),
    ]) {
      one.life.steps.hook = ({ method, side }) =>
        method === 'snapshotVolumes' && side === 'before' ? cause : 'go';
      await expect(take(['db'])).rejects.toThrow(/as many members as the array allows|nobody answers/);
      expect(one.kernel.frozen.size).toBe(0);
    }
    expect(copies()).toEqual([]);
  });

  it('is crash-consistent of a volume of another host, and whole of one that nobody has', async () => {
    const { one, two, run, take } = await scene();
    expect(await take(['db'], {}, two)).toMatchObject([{ consistency: 'crash-consistent' }]);
    await run(one.life.unmount('db', 'a'));
    expect(await take(['db'], { snapshot: 'idle' }, two)).toMatchObject([{ consistency: 'idle' }]);
  });

  it('is none of what merely bears the name of one', async () => {
    const { world, take, list } = await scene();
    await take(['db'], { snapshot: 'x' });
    const [copy] = [...world.array.volumes.values()].filter(({ kind }) => kind === 'snapshot');
    if (copy === undefined) throw new Error('there is one');
    world.array.volumes.set(copy.id, { ...copy, kind: 'thin' });
    expect((await list()).snapshots).toEqual([]);
  });

  it('leaves a file system alone that somebody else has frozen', async () => {
    const { world, one, take } = await scene();
    one.kernel.frozen.add(world.volume('db'));
    expect(await take(['db'])).toMatchObject([{ consistency: 'crash-consistent' }]);
    expect(one.kernel.frozen.has(world.volume('db'))).toBe(true);
  });

  it('bears a name once, whatever its expiry', async () => {
    const { take } = await scene();
    await take(['db'], { snapshot: 'x' });
    await expect(take(['db'], { snapshot: 'x', expireMs: 3_600_000 })).rejects.toThrow(
      'has a snapshot "x" already',
    );
    await expect(take(['db', 'db'])).rejects.toThrow('named twice');
    await expect(take(['nothing'])).rejects.toThrow('the array has no such volume');
  });

  it('is removed alone, not while somebody has it, and is asked for by its nearest name', async () => {
    const { world, one, take, remove, copies } = await scene();
    await take(['db'], { snapshot: 'one' });
    await take(['db'], { snapshot: 'two' });
    await expect(remove('onne')).rejects.toThrow('did you mean "db@one"?');
    const [first] = copies();
    if (first === undefined) throw new Error('there is one');
    world.array.map(first.id, one.sdcId, false);
    await expect(remove('one')).rejects.toThrow('host host1 (10.0.0.1) has it');
    world.array.unmap(first.id, one.sdcId);
    await remove('one');
    expect(copies().map(({ name }) => name.slice(-4))).toEqual(['@two']);
    expect(world.array.byName('docker-db')).toBeDefined();
  });

  it('stays when its volume is removed, and is not taken for one of the next volume of the name', async () => {
    const { one, run, take, list, copies } = await scene();
    await take(['db'], { snapshot: 'x' });
    await run(one.life.unmount('db', 'a'));
    await run(one.life.remove('db'));
    expect(copies()).toHaveLength(1);
    await run(one.life.create('db'));
    expect((await list()).snapshots).toEqual([]);
    await take(['db'], { snapshot: 'x' });
    expect(copies()).toHaveLength(2);
  });
});
