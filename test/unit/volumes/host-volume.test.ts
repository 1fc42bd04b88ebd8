import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { asArrayName, asSystemId, asVolumeId } from '../../../src/array/ids.ts';
import { VolumeInUseError } from '../../../src/errors.ts';
import {
  afterBoot,
  asClaimant,
  answered,
  assertFollows,
  creatingVolume,
  ImpossibleTransitionError,
  leftVolume,
  markerToRemove,
  mountedVolume,
  mountingVolume,
  recordedVolume,
  releasingVolume,
  setAside,
  trashedVolume,
  type AttachedVolume,
  type HostVolume,
  type VolumeIn,
} from '../../../src/volumes/host-volume.ts';
import { STATES, type Phase } from '../../../src/volumes/host-volume-states.ts';
import { markerName, provisionalName } from '../../../src/volumes/naming.ts';
import { goneName, trashName } from '../../../src/volumes/trash/trash-names.ts';
import { CALL_FAILS, disturbEverywhere, HOST_REBOOT, PLUGIN_CRASH } from './world/failpoints.ts';
import { JOURNALED } from './world/fake-journal.ts';
import { SCENARIOS } from './world/scenarios.ts';
import { World } from './world/world.ts';

const A = asClaimant('a');
const PHASES = Object.keys(STATES) as Phase[];
const ORIGIN = {
  systemId: asSystemId('14dbbf5617523654'),
  mountpoint: '/m/x',
  since: '2026-01-01T00:00:00Z',
};
const LATER = '2026-01-01T01:00:00Z';
const ID = asVolumeId('72ce476b00000002');
const PROVISIONAL = provisionalName('B0E3BFB8-C20B-43BF-93C8-13339E85AA50', 'docker-', '0123abcd');
const MARKER = markerName('always', ID);
const BEGINNING = { ...ORIGIN, volumeId: ID, arrayName: asArrayName('docker-db') };

const mounting = (before?: AttachedVolume): VolumeIn<'mounting'> => mountingVolume('db', before, BEGINNING);
/** An entry that nothing but a file can bring forth. */
const inState = (phase: Phase): HostVolume =>
  recordedVolume({ ...BEGINNING, name: 'db', phase, holders: ['a'], attachment: 'intended' });

describe('the states of a volume on this host', () => {
  it('stand in docs/architecture.md as the table has them', () => {
    const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8');
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.replaceAll(/ +/g, ' '));
    const expected = PHASES.map((phase) => {
      const { means, next, afterBoot: later, crashLeaves, finishedBy } = STATES[phase];
      const others = next.filter((one) => one !== phase).map((one) => `\`${one}\``);
      const cells = [
        `\`${phase}\``,
        means,
        [...others, 'gone'].join(', '),
        crashLeaves,
        finishedBy,
        `\`${later}\``,
      ];
      return `| ${cells.join(' | ')} |`;
    });
    expect(rows).toEqual(expect.arrayContaining(expected));
    expect(rows.filter((row) => PHASES.some((phase) => row.startsWith(`| \`${phase}\` |`)))).toHaveLength(
      PHASES.length,
    );
  });

  it.each(PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const)))(
    '%s → %s is allowed only where the table says so',
    (from, to) => {
      const step = (): void => {
        assertFollows(inState(from), inState(to));
      };
      if (STATES[from].next.includes(to)) expect(step).not.toThrow();
      else expect(step).toThrow(ImpossibleTransitionError);
    },
  );

  it('say which step cannot be, and whose mistake it is', () => {
    expect(() => releasingVolume(inState('creating') as AttachedVolume, LATER)).toThrow(
      'the entry of "db" cannot go from creating to releasing: the table of states has no such step; this is a mistake of the plugin',
    );
    expect(() => mounting(inState('unmarking') as AttachedVolume)).toThrow(ImpossibleTransitionError);
    expect(() => mountedVolume(inState('releasing') as VolumeIn<'mounting'>, A)).toThrow(
      ImpossibleTransitionError,
    );
  });

  it('are given by the functions of their file alone', () => {
    // @ts-expect-error an entry that is written by hand
    const byHand: HostVolume = { ...BEGINNING, name: 'db', phase: 'mounted', holders: [] };
    // @ts-expect-error another phase for an entry that there is
    const moved: HostVolume = { ...mounting(), phase: 'mounted' };
    // @ts-expect-error what is unfinished is never released
    const released = (): HostVolume => releasingVolume(creatingVolume('db', PROVISIONAL, ORIGIN), LATER);
    // @ts-expect-error nothing is mounted but what a Mount is at
    const mounted = (): HostVolume => mountedVolume(releasingVolume(mounting(), LATER), A);
    expect([byHand.phase, moved.phase]).toEqual(['mounted', 'mounted']);
    expect([released, mounted].map((made) => made.length)).toEqual([0, 0]);
  });

  it('let only a volume in the trash be one that was removed', () => {
    const inTrash = trashName('docker-', 'db', ID, Date.parse('2026-01-01T00:00:00Z'));
    expect(trashedVolume(ID, inTrash, ORIGIN)).toMatchObject({
      name: inTrash,
      phase: 'trashed',
      holders: [],
    });
    expect(() => trashedVolume(ID, asArrayName('docker-db'), ORIGIN)).toThrow(ImpossibleTransitionError);
    expect(() => trashedVolume(ID, goneName('docker-', ID), ORIGIN)).toThrow(ImpossibleTransitionError);
  });

  it('let only a marker be unmarked', () => {
    expect(markerToRemove(ID, MARKER, ORIGIN)).toMatchObject({
      name: MARKER,
      phase: 'unmarking',
      volumeId: ID,
    });
    expect(() => markerToRemove(ID, asArrayName('docker-db'), ORIGIN)).toThrow(ImpossibleTransitionError);
    expect(() => markerToRemove(ID, PROVISIONAL, ORIGIN)).toThrow(ImpossibleTransitionError);
  });
});

describe('an entry', () => {
  it('of a Mount keeps who claims the volume, and nobody of another volume of the name', () => {
    const before = mountedVolume(mounting(), A);
    expect(mounting(before).holders).toEqual(['a']);
    const another = { ...BEGINNING, volumeId: asVolumeId('72ce476b00000009') };
    expect(mountingVolume('db', before, another).holders).toEqual([]);
  });

  it('knows until the answer that its request may still be carried out, and always what it has found', () => {
    const asked = mountingVolume('db', undefined, { ...BEGINNING, attachment: 'intended' });
    expect(answered(asked).attachment).toBeUndefined();
    const found = mountingVolume('db', undefined, { ...BEGINNING, attachment: 'found' });
    expect(answered(found).attachment).toBe('found');
    expect(mountedVolume(found, A).attachment).toBeUndefined();
  });

  it('says since when it is being released', () => {
    const releasing = releasingVolume(mountedVolume(mounting(), A), LATER);
    expect(releasing).toMatchObject({ since: LATER, holders: [] });
    expect(releasingVolume(releasing, '2026-01-01T02:00:00Z').since).toBe(LATER);
  });

  it('that makes way for a next Create is known by the provisional name', () => {
    const entry = setAside(creatingVolume('db', PROVISIONAL, ORIGIN));
    expect(entry).toEqual({ ...creatingVolume('db', PROVISIONAL, ORIGIN), name: PROVISIONAL });
    expect(leftVolume(ID, PROVISIONAL, ORIGIN)).not.toHaveProperty('attachment');
  });

  it.each(PHASES)('of an earlier boot, %s, is held by nobody and stands where the table says', (phase) => {
    const entry = afterBoot(inState(phase));
    expect(entry).toMatchObject({ phase: STATES[phase].afterBoot, holders: [], earlierBoot: true });
    expect(afterBoot(entry).phase).toBe(entry.phase);
  });
});

/** Another host has the volume, and keeps it. */
async function refusedMount(): Promise<void> {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  await world.run(two.life.create('db', { failover: 'never' }));
  await world.run(two.life.mount('db', 'a'));
  await expect(world.run(one.life.mount('db', 'b'))).rejects.toBeInstanceOf(VolumeInUseError);
}

describe('the search over calls that fail, and lives that end at any step', () => {
  beforeAll(async () => {
    // Other files of this process have journals, too.
    for (const noted of [JOURNALED.steps, JOURNALED.left]) noted.clear();
    for (const disturbance of [PLUGIN_CRASH, HOST_REBOOT, CALL_FAILS])
      for (const scenario of SCENARIOS) await disturbEverywhere(scenario, disturbance);
    await refusedMount();
  });

  it('goes every step of the table, and no other', () => {
    const allowed = PHASES.flatMap((phase) => [
      ...STATES[phase].next.filter((next) => next !== phase).map((next) => `${phase} → ${next}`),
      `${phase} → nothing`,
    ]);
    const begun = ['creating', 'unmarking', 'mounting', 'restoring', 'trashed'].map(
      (phase) => `nothing → ${phase}`,
    );
    const stays = PHASES.map((phase) => `${phase} → ${phase}`);
    const seen = [...JOURNALED.steps].filter((step) => !stays.includes(step));
    expect(seen.sort()).toEqual([...allowed, ...begun].sort());
  });

  it('ends a life in each of the states', () => {
    expect([...JOURNALED.left].sort()).toEqual([...PHASES].sort());
  });
});
