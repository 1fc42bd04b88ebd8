import { describe, expect, it } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import { markerName } from '../../../src/volumes/naming.ts';
import type { FailoverPolicy } from '../../../src/volumes/volume.ts';
import { parseSnapshotName } from '../../../src/volumes/copies/snapshot-names.ts';
import { changeOwnLabel } from '../../../src/volumes/limits/own-label.ts';
import { rejection, type StoredVolume } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import { explore } from './world/explore.ts';
import { POLICY, type Life } from './world/life.ts';
import { race, type Answer } from './world/race.ts';
import { cutShort, operate, prepareRestore, useVolume } from './world/scenarios.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

/** "db", which nobody has: it held version "then" at its snapshot "before", and holds "now". */
async function scene(version = '3.6') {
  const world = new World(2);
  world.array.version = version;
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await prepareRestore(world, { fs: 'ext4', iops: '100' });
  const restore = (snapshot = 'before', host: FakeHost = one) =>
    run(
      operate(world, host === one ? 1 : 2).restore(
        { name: 'db', snapshot, keepMs: 604_800_000 },
        host.life.call().signal,
      ),
    );
  const holds = (): string | undefined => world.content('db').files.get('version');
  const copies = (): StoredVolume[] =>
    [...world.array.volumes.values()].filter(({ kind }) => kind === 'snapshot');
  const named = (name: string): StoredVolume => {
    const { id } = world.volume('db');
    const found = copies().find((one) => parseSnapshotName(id, one.name)?.name === name);
    if (found === undefined) throw new Error(`there is no snapshot "${name}"`);
    return found;
  };
  const settle = () => world.reconcileAll(2);
  return { world, one, two, run, restore, holds, copies, named, settle };
}

/** What an array answers to one call, once. */
const answering =
  (method: string, verdict: Verdict, side = 'before') =>
  (point: { readonly method: string; readonly side: string }): Verdict =>
    point.method === method && point.side === side ? verdict : 'go';

describe.each(['2.6', '3.6', '4.5'])('a restore on array %s', (version) => {
  it('brings back what the snapshot holds, keeps what there was, and leads back', async () => {
    const { world, one, run, restore, holds, settle } = await scene(version);
    const { keptAs, keptUntil, lacks } = await restore();
    expect([holds(), lacks]).toEqual(['then', null]);
    expect(keptUntil).toMatch(/^\d{4}-/);
    const back = await restore(keptAs);
    expect(holds()).toBe('now');
    expect(back.keptAs).not.toBe(keptAs);
    await useVolume(world, 'user');
    await run(one.life.remove('db'));
    await settle();
    expect(world.array.violations).toEqual([]);
  });
});

describe('a restore', () => {
  it('takes 9 calls, 10 of a volume that this host does not know', async () => {
    const { one, two, restore } = await scene();
    one.life.gateway.calls.clear();
    await restore();
    expect(one.life.gateway.totalCalls).toBe(9);
    await two.life.host.identity.current(two.life.call().signal);
    two.life.gateway.calls.clear();
    await restore('before', two);
    expect(two.life.gateway.totalCalls).toBe(10);
  });

  it('leaves the volume its own label, with the limits that were set since', async () => {
    const { world, one, run, restore, two } = await scene();
    await run(two.life.mount('db', 'a'));
    const entry = two.life.host.journal.get('db');
    if (entry === undefined) throw new Error('it is mounted');
    const { signal } = two.life.call();
    await run(changeOwnLabel(two.life.host, entry, (label) => ({ ...label, iops: 500 }), signal));
    await run(two.life.unmount('db', 'a'));
    const { label } = world.content('db');
    expect(label).toMatchObject({ iops: 500, volumeId: world.volume('db').id });
    await restore();
    expect(world.content('db').label).toEqual(label);
    await run(one.life.mount('db', 'b'));
    expect(one.life.host.journal.get('db')).toMatchObject({ limits: { iops: 500 } });
  });

  it('takes the label that it remembers where the present one cannot be read any more', async () => {
    const { world, restore } = await scene();
    const label = { ...world.content('db').label, iops: 700 };
    const { life } = world.host(1);
    const known = life.host.journal.known('db');
    if (known?.label === undefined) throw new Error('it was made here');
    life.host.journal.remember({ ...known, label: { ...known.label, iops: 700 } });
    world.volume('db').content = { kind: 'foreign', what: 'rubble' };
    await restore();
    expect(world.content('db').label).toEqual(label);
  });

  it.each(['this', 'another'])('is refused while %s host has the volume, and says who', async (which) => {
    const { world, one, two, run, restore, holds, copies } = await scene();
    const host = which === 'this' ? one : two;
    await run(host.life.mount('db', 'a'));
    await expect(restore()).rejects.toThrow(`host ${host.name} (${host.ip}) has "docker-db"; stop what uses`);
    expect([holds(), copies().length, world.volume('db').mappings.size]).toEqual(['now', 1, 1]);
    expect(one.life.host.journal.get('db')?.phase).toBe(which === 'this' ? 'mounted' : undefined);
  });

  it('is refused for a snapshot that there is not, of another size, and of what the array limits to reading', async () => {
    const { world, restore } = await scene();
    await expect(restore('befor')).rejects.toThrow('did you mean "db@before"?');
    world.array.grow(world.volume('db').id, 2 * world.volume('db').sizeKiB);
    await expect(restore()).rejects.toThrow('has 32 GiB and had 16 GiB then; make a copy of the snapshot');
    world.array.limitAccess(world.volume('db').id, 'ReadOnly');
    await expect(restore()).rejects.toThrow('the array limits it to reading');
    expect([...world.host(1).disk.entries.keys()]).toEqual([]);
  });

  it('is refused where others may be writing to the snapshot', async () => {
    const { world, two, restore, named } = await scene('2.6');
    world.array.map(named('before').id, two.sdcId, false);
    await expect(restore()).rejects.toThrow('host host2 (10.0.0.2) has');
  });

  it('leaves nothing behind when another host is quicker, before and after it was attached', async () => {
    const { world, one, two, restore, holds, copies, settle } = await scene();
    const { id } = world.volume('db');
    one.life.steps.hook = ({ method, side }) => {
      if (method === 'attachVolume' && side === 'before') world.array.map(id, two.sdcId, false);
      return 'go';
    };
    await expect(restore()).rejects.toThrow('host host2 (10.0.0.2) has "docker-db"');
    world.array.unmap(id, two.sdcId);
    one.life.steps.hook = ({ method, side }) => {
      if (method === 'attachVolume' && side === 'after') world.volume('db').isShared = true;
      if (method === 'snapshotVolumes' && side === 'after') world.array.map(id, two.sdcId, false);
      return 'go';
    };
    await expect(restore()).rejects.toThrow('another host has got it meanwhile');
    one.life.steps.hook = () => 'go';
    expect([holds(), copies().length]).toEqual(['now', 1]);
    world.array.unmap(id, two.sdcId);
    await settle();
    expect(world.leaks()).toEqual([]);
  });

  it('keeps nothing of what the array refuses, in words of volumes and snapshots', async () => {
    const { world, one, restore, holds, copies } = await scene();
    one.life.steps.hook = answering('overwriteContent', rejection('locked', 'no'));
    await expect(restore()).rejects.toThrow('the array lets nobody overwrite it before its time');
    one.life.steps.hook = answering('snapshotVolumes', rejection('family-full', 'no'));
    await expect(restore()).rejects.toThrow('remove a snapshot that is not needed');
    expect([holds(), copies().length]).toEqual(['now', 1]);
    expect(world.leaks()).toEqual([]);
  });

  it('is refused while something on this host has the device open', async () => {
    const { world, one, restore, holds } = await scene();
    one.life.steps.hook = ({ method, side }) => {
      if (method === 'snapshotVolumes' && side === 'after') one.kernel.openRaw('dd', world.volume('db'));
      if (method === 'overwriteContent') one.kernel.letGo('dd');
      return 'go';
    };
    await expect(restore()).rejects.toThrow('something on this host has its device');
    expect(holds()).toBe('now');
  });

  it('says so when another host may have had the volume while the array was at it', async () => {
    const { world, one, two, restore, run, settle } = await scene();
    one.life.steps.hook = ({ method, side }) => {
      if (method === 'overwriteContent' && side === 'before')
        world.array.unmap(world.volume('db').id, one.sdcId, two.sdcId);
      return 'go';
    };
    await expect(restore()).rejects.toThrow('another host may have had it while the array overwrote it');
    expect(one.disk.droppedRestores).toMatchObject([{ volume: 'db', snapshot: 'before' }]);
    one.life.steps.hook = () => 'go';
    await settle();
    expect(world.leaks()).toEqual([]);
    await run(one.life.remove('db'));
    expect(one.disk.droppedRestores).toEqual([]);
  });
});

describe('a restore of which nobody says whether it has happened', () => {
  const silence = new GatewayUnavailableError('nobody answers');

  it('keeps the volume from everybody, and is repeated when no request can come any more', async () => {
    const { world, one, two, run, restore, holds } = await scene();
    one.life.steps.hook = answering('overwriteContent', silence);
    await expect(restore()).rejects.toThrow('asks once more then');
    one.life.steps.hook = () => 'go';
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('host1');
    await expect(run(one.life.mount('db', 'a'))).rejects.toThrow('its restore to "db@before" was cut short');
    await expect(run(one.life.remove('db'))).rejects.toThrow('its restore to "db@before" was cut short');
    await expect(restore()).rejects.toThrow('its restore to "db@before" was cut short');
    await run(one.life.reconcile());
    expect([holds(), world.volume('db').mappings.size]).toEqual(['now', 1]);
    await world.pass(POLICY.lateMs);
    await run(one.life.reconcile());
    expect([holds(), world.volume('db').mappings.size]).toEqual(['then', 0]);
    await run(two.life.mount('db', 'b'));
  });

  it('waits anew where the repetition is not answered either', async () => {
    const { world, one, run, restore, holds } = await scene();
    one.life.steps.hook = answering('overwriteContent', silence);
    await expect(restore()).rejects.toThrow('asks once more then');
    await world.pass(POLICY.lateMs);
    expect((await run(one.life.reconcile())).postponed).toEqual(['db']);
    one.life.steps.hook = () => 'go';
    await world.pass(POLICY.lateMs - 1);
    expect((await run(one.life.reconcile())).postponed).toEqual(['db']);
    expect(holds()).toBe('now');
    await world.pass(1);
    await run(one.life.reconcile());
    expect(holds()).toBe('then');
  });

  it.each(['before', 'after'] as const)(
    'is repeated by the next life of the plugin (killed %s it)',
    async (side) => {
      const { world, one, run, holds, settle } = await scene();
      await cutShort(world, side);
      await run(one.life.reconcile());
      expect(world.volume('db').mappings.size).toBe(1);
      await world.pass(POLICY.lateMs);
      await settle();
      expect([holds(), world.volume('db').mappings.size]).toEqual(['then', 0]);
      expect(one.disk.droppedRestores).toEqual([]);
      expect(world.leaks()).toEqual([]);
    },
  );

  /** What breaks the attachment from before the crash, and what is said of it. */
  it.each<[string, (s: { world: World; one: FakeHost; two: FakeHost }) => unknown, string]>([
    ['the host has booted', ({ one }) => one.reboot(), 'this host has booted since'],
    [
      'it was taken away and given back',
      ({ world, one, two }) => {
        const { id } = world.volume('db');
        world.array.unmap(id, one.sdcId, two.sdcId);
        world.array.map(id, one.sdcId, false);
      },
      'its device has gone and come back since',
    ],
    [
      'another host has it',
      ({ world, one, two }) => {
        const { id } = world.volume('db');
        world.array.unmap(id, one.sdcId, two.sdcId);
        world.array.map(id, two.sdcId, false);
      },
      'it is no longer attached to this host alone',
    ],
    [
      'another host has it, too',
      ({ world, two }) => {
        world.volume('db').isShared = true;
        world.array.map(world.volume('db').id, two.sdcId, false);
      },
      'it is no longer attached to this host alone',
    ],
    [
      'the kernel does not tell one disk from the next',
      ({ one }) => {
        const [[name, entry] = []] = one.disk.entries;
        if (name === undefined || entry?.restore === undefined) throw new Error('there is one');
        one.disk.entries.set(name, { ...entry, restore: { ...entry.restore, diskSequence: undefined } });
        one.restart();
      },
      'the kernel of this host does not tell',
    ],
    [
      'it was renamed',
      ({ world }) => {
        world.array.rename(world.volume('db').id, 'docker-other');
      },
      'it is called "docker-other"',
    ],
  ])('is dropped and told where %s', async (_, breaks, why) => {
    const s = await scene();
    const { world, one, two, run } = s;
    const volume = world.volume('db');
    await cutShort(world);
    breaks(s);
    await run(one.life.reconcile());
    await world.pass(POLICY.lateMs);
    await run(one.life.reconcile());
    const { content, mappings } = volume;
    expect(content.kind === 'filesystem' && content.files.get('version')).toBe('now');
    expect(mappings.has(one.sdcId)).toBe(false);
    expect(one.disk.droppedRestores).toEqual([
      expect.objectContaining({
        volume: 'db',
        volumeId: volume.id,
        snapshot: 'before',
        why: expect.stringContaining(why) as string,
      }),
    ]);
    expect(one.life.lines.some((line) => line.startsWith('error a restore was cut short'))).toBe(true);
    if (mappings.has(two.sdcId)) world.array.unmap(volume.id, two.sdcId);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('is let go of as it was where the array had not been asked yet', async () => {
    const { world, one, run, restore, holds, settle } = await scene();
    one.life.steps.hook = answering('snapshotVolumes', 'die', 'after');
    await world.runToEnd(restore(), one.life).catch(() => undefined);
    one.restart();
    await settle();
    expect([holds(), world.volume('db').mappings.size, one.disk.droppedRestores]).toEqual(['now', 0, []]);
    await run(one.life.mount('db', 'a'));
  });
});

describe('a restore and another host, in every order', () => {
  const version = (world: World): string | undefined => world.content('db').files.get('version');
  const memory = (world: World): string => version(world) ?? '';
  const calm = async (world: World, options: Record<string, string> = {}): Promise<void> => {
    await prepareRestore(world, options);
    for (const { life } of world.hosts) {
      await world.run(life.get('db'));
      await life.host.identity.current(life.call().signal);
    }
  };
  const restoring =
    (number: number) =>
    (life: Life, world: World): Promise<unknown> =>
      operate(world, number).restore({ name: 'db', snapshot: 'before', keepMs: null }, life.call().signal);
  const isOk = (answer: Answer | undefined): boolean => answer?.ok === true;
  /** Whether others may take it once it is over is as it was. */
  const markersLeft = (world: World, policy: FailoverPolicy): string[] => {
    const { id } = world.volume('db');
    const isMarked = world.array.byName(markerName('never', id)) !== undefined;
    return isMarked === (policy === 'never') ? [] : [`marked as never: ${String(isMarked)}`];
  };
  const whole = (world: World): string[] =>
    ['then', 'now'].includes(version(world) ?? '') ? [] : ['neither of then nor of now'];

  it.each([false, true])(
    'Mount: who has the volume has it alone, and never has it overwritten (who restores dies: %s)',
    async (mayDie) => {
      const outcomes = new Set<string>();
      const explored = await explore(() =>
        race(
          calm,
          [restoring(1), (life) => life.mount('db', 'm2')],
          ([restored, took], world) => {
            outcomes.add(`${isOk(restored)} ${isOk(took)}`);
            const isRight = !isOk(restored) || version(world) === 'then';
            return isRight ? whole(world) : ['restored, and it is not'];
          },
          { mayDie, atRest: whole, memory, isScheduled: (method) => method !== 'identity' },
        ),
      );
      expect(explored.faults).toEqual([]);
      expect(outcomes.has('true false') && outcomes.has('false true')).toBe(true);
    },
  );

  it.each<[FailoverPolicy, boolean]>([
    ['idle', false],
    ['always', false],
    ['always', true],
    ['disconnected', false],
    ['never', false],
  ])(
    'Mount that may take it (policy %s; who restores dies: %s): never while its content is exchanged',
    async (policy, mayDie) => {
      const outcomes = new Set<string>();
      const explored = await explore(() =>
        race(
          async (world) => {
            await calm(world, { failover: policy });
            for (const host of world.hosts) host.mayFence = true;
          },
          [restoring(1), (life) => life.mount('db', 'm2')],
          ([restored, took], world) => {
            outcomes.add(`${isOk(restored)} ${isOk(took)} ${world.array.fences.length}`);
            const isRight = !isOk(restored) || version(world) === 'then';
            return isRight ? whole(world) : ['restored, and it is not'];
          },
          {
            mayDie,
            mayLoseArray: policy === 'disconnected',
            atRest: (world) => [...whole(world), ...markersLeft(world, policy)],
            memory,
            isScheduled: (method) => !['identity', 'getHost'].includes(method),
          },
        ),
      );
      expect(explored.faults).toEqual([]);
      expect([...outcomes]).toEqual(expect.arrayContaining(['true false 0', 'false true 0']));
    },
  );

  it('restore: one after the other, or one is told who is at it', async () => {
    const explored = await explore(() =>
      race(
        calm,
        [restoring(1), restoring(2)],
        (answers, world) =>
          version(world) === 'then' && answers.some(isOk)
            ? []
            : [`${version(world) ?? ''} ${answers.map(isOk).join()}`],
        { memory, isScheduled: (method) => !['identity', 'findVolumeId'].includes(method) },
      ),
    );
    expect(explored.faults).toEqual([]);
  });
});
