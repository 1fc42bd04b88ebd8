import { expect, it } from 'vitest';
import { removeLikelyAnonymous } from '../../../src/cli/volume-anonymous.ts';
import type { AnonymousHost } from '../../../src/volumes/anonymous.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { arrayNameFor } from '../../../src/volumes/naming.ts';
import { World } from './world/world.ts';

const ANONYMOUS = '3f'.repeat(32);
/** Hex digits as long as an anonymous one's beginning, and no anonymous name. */
const LOOKALIKE = `${'3f'.repeat(5)}-of-somebody-who-likes-hex-digits`;

/** Two hosts; volumes of these names, made by the first, on the array; and the command on the second. */
async function scene(...names: readonly string[]) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  for (const name of names) await run(one.life.create(name));
  const { array, sdc, identity } = two.life.host;
  let record: { volumeId: string; arrayName: string } | undefined;
  const seen: string[][] = [];
  const stored = (name: string) => world.array.named(arrayNameFor('docker-', name as VolumeName));
  const host: AnonymousHost = {
    ...{ array, sdc, identity, prefix: 'docker-' },
    record: {
      read: () => Promise.resolve(record),
      write: (wanted) => Promise.resolve(void (record = wanted)),
      remove: () => Promise.resolve(void (record = undefined)),
    },
    isEntered: (volumeId) =>
      Promise.resolve([...two.disk.entries.values()].some((one) => one.volumeId === volumeId)),
    labelOn: () => {
      const volume = [...world.array.volumes.values()].find(({ id }) => id === record?.volumeId);
      if (volume?.content.kind !== 'filesystem') return Promise.resolve(undefined);
      seen.push([...volume.mappings.keys()]);
      return Promise.resolve(volume.content.label);
    },
    isHeld: (device) => two.life.host.filesystems.isHeld(device),
  };
  const lines: string[] = [];
  const command = (act: boolean, agreed = true) =>
    run(
      removeLikelyAnonymous(host, {
        act,
        print: (line) => lines.push(line),
        isAgreed: () => Promise.resolve(agreed),
      }),
    );
  const left = () =>
    names.filter((name) => world.array.byName(arrayNameFor('docker-', name as VolumeName)) !== undefined);
  return {
    world,
    one,
    two,
    run,
    host,
    seen,
    lines,
    command,
    left,
    stored,
    recorded: () => record,
    record: (it: typeof record) => (record = it),
  };
}

it('only lists, and touches nothing, unless it is told to remove', async () => {
  const { world, lines, command, left, seen } = await scene(ANONYMOUS, 'db');
  await command(false);
  expect(lines.filter((line) => line.startsWith('likely: "docker-3f3f3f3f3f~'))).toHaveLength(1);
  expect([left(), seen, world.leaks()]).toEqual([[ANONYMOUS, 'db'], [], []]);
});

it('removes the one whose label proves it, having had it alone, and leaves nothing behind', async () => {
  const { world, two, command, left, seen, recorded } = await scene(ANONYMOUS, 'db', LOOKALIKE);
  await command(true);
  expect(left()).toEqual(['db', LOOKALIKE]);
  expect(seen.filter((mappings) => mappings.join() !== two.sdcId)).toEqual([]);
  expect([world.leaks(), recorded()]).toEqual([[], undefined]);
});

it('keeps it when nobody says yes, and takes it off again', async () => {
  const { world, command, left, lines } = await scene(ANONYMOUS);
  await command(true, false);
  expect(left()).toEqual([ANONYMOUS]);
  expect(lines.at(-1)).toContain('nobody said yes');
  expect(world.leaks()).toEqual([]);
});

it('does not even attach one that a host has, or gets meanwhile', async () => {
  const { one, run, command, left, seen, host, lines } = await scene(ANONYMOUS);
  await run(one.life.mount(ANONYMOUS, 'a'));
  await command(true);
  expect(seen).toEqual([]);
  await run(one.life.unmount(ANONYMOUS, 'a'));
  const listVolumes = host.array.listVolumes.bind(host.array);
  host.array.listVolumes = async (...args) => {
    const listed = await listVolumes(...args);
    await one.life.mount(ANONYMOUS, 'b');
    return listed;
  };
  await command(true);
  expect([left(), seen]).toEqual([[ANONYMOUS], []]);
  expect(lines.at(-1)).toContain('a host has it now');
});

it('keeps one with snapshots', async () => {
  const { world, command, left, lines, stored } = await scene(ANONYMOUS);
  world.array.snapshot(stored(ANONYMOUS).id, 'somebody-backup', 0);
  await command(true);
  expect(left()).toEqual([ANONYMOUS]);
  expect(lines.at(-1)).toContain('it has snapshots');
});

it('ends the look of a command that was killed, and of no mapping that it did not record', async () => {
  const { world, two, run, command, record, stored, left } = await scene(ANONYMOUS, LOOKALIKE);
  const [looked, byHand] = [stored(ANONYMOUS), stored(LOOKALIKE)];
  const { array, identity } = two.life.host;
  const me = await run(identity.current(new AbortController().signal));
  for (const { id } of [looked, byHand])
    await run(
      array.mapVolume({ volumeId: id, sdcId: me.sdcId, readOnly: false }, new AbortController().signal),
    );
  record({ volumeId: looked.id, arrayName: looked.name });
  await command(true);
  expect(world.leaks()).toContain(`mapping of ${byHand.name} to ${two.sdcId}`);
  expect(byHand.mappings.size).toBe(1);
  expect(left()).toEqual([LOOKALIKE]);
});
