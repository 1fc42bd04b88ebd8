import { asArrayName, asSystemId } from '../../../src/array/ids.ts';
import { expect, it } from 'vitest';
import {
  removeLikelyAnonymous,
  textAfterFindings,
  textForFinding,
} from '../../../src/cli/volume-anonymous.ts';
import { DeviceHeldError, GatewayUnavailableError } from '../../../src/errors.ts';
import { holderActions } from '../../../src/volumes/operated-volumes.ts';
import { VolumeOperator } from '../../../src/volumes/takeover/operator.ts';
import type { AnonymousHost } from '../../../src/volumes/upkeep/anonymous.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { recordedVolume } from '../../../src/volumes/host-volume.ts';
import { arrayNameFor } from '../../../src/volumes/naming.ts';
import type { StoredVolume } from './world/fake-array.ts';
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
  const { array, identity } = two.life.host;
  const claims = { looks: 0, ends: 0 };
  let record: { volumeId: string; arrayName: string } | undefined;
  const seen: string[][] = [];
  const stored = (name: string) => world.array.named(arrayNameFor('docker-', name as VolumeName));
  const host: AnonymousHost = {
    ...two.life.host,
    prefix: 'docker-',
    record: {
      read: () => Promise.resolve(record),
      write: (wanted) => Promise.resolve(void (record = wanted)),
      remove: () => Promise.resolve(void (record = undefined)),
    },
    isEntered: (volumeId) =>
      Promise.resolve([...two.disk.entries.values()].some((one) => one.volumeId === volumeId)),
    labelOn: () => {
      if (claims.looks-- > 0) return Promise.reject(new DeviceHeldError('multipathd has it'));
      const volume = [...world.array.volumes.values()].find(({ id }) => id === record?.volumeId);
      if (volume?.content.kind !== 'filesystem') return Promise.resolve(undefined);
      seen.push([...volume.mappings.keys()]);
      return Promise.resolve(volume.content.label);
    },
    isHeld: (device) =>
      claims.ends-- > 0 ? Promise.resolve(true) : two.life.host.filesystems.isHeld(device),
  };
  const operator = new VolumeOperator(two.life.host, two.life.host.policy);
  const entries = () => Promise.resolve([...two.disk.entries.values()]);
  const { lock } = two.life;
  const actions = holderActions({
    ...two.life.host,
    operator,
    anonymous: host,
    prefix: 'docker-',
    entries,
    lock,
  });
  const lines: string[] = [];
  const command = (act: boolean, agreed = true, meanwhile: () => void = () => undefined) =>
    run(
      removeLikelyAnonymous(
        { array: host.array, prefix: host.prefix, actions },
        {
          act,
          tell: (finding) => lines.push(textForFinding(finding).trimEnd()),
          isAgreed: () => {
            meanwhile();
            return Promise.resolve(agreed);
          },
        },
      ).then((findings) => {
        const after = textAfterFindings(findings, act).trimEnd();
        if (after !== '') lines.push(after);
        return findings;
      }),
    );
  /** As a killed look left it: mapped to the second host, and recorded. */
  const lookedAndKilled = async (name: string) => {
    const volume = stored(name);
    const { signal } = new AbortController();
    const me = await run(identity.current(signal));
    await run(array.attachVolume({ volumeId: volume.id, hostId: me.hostId, readOnly: false }, signal));
    await world.pass(100);
    record = { volumeId: volume.id, arrayName: volume.name };
    return volume;
  };
  const left = () =>
    names.filter((name) => world.array.byName(arrayNameFor('docker-', name as VolumeName)) !== undefined);
  /** The plugin of the second host works with it. */
  const enter = ({ id, name }: StoredVolume): Promise<void> => {
    const facts = {
      systemId: asSystemId(world.array.systemId),
      phase: 'releasing',
      holders: [],
      mountpoint: '/m',
      since: '',
    } as const;
    const entry = recordedVolume({ ...facts, name, arrayName: asArrayName(name), volumeId: id });
    return run(two.life.host.journal.put(entry));
  };
  return {
    claims,
    enter,
    world,
    one,
    two,
    run,
    host,
    actions,
    seen,
    lines,
    command,
    left,
    stored,
    lookedAndKilled,
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
  expect(seen.filter((attachments) => attachments.join() !== two.sdcId)).toEqual([]);
  expect([world.leaks(), recorded()]).toEqual([[], undefined]);
});

it('waits while something else on this host claims the device, before the look and after it', async () => {
  const { world, claims, command, left, recorded } = await scene(ANONYMOUS);
  claims.looks = 20;
  claims.ends = 20;
  await command(true);
  expect([left(), world.leaks(), recorded()]).toEqual([[], [], undefined]);
});

it('gives up on one that stays claimed, says by whom it was kept from it, and takes it off again', async () => {
  const { world, claims, command, left, lines, recorded } = await scene(ANONYMOUS);
  claims.looks = 1000;
  await command(true);
  expect(lines.at(-1)).toContain('something else on this host has claimed');
  expect([left(), world.leaks(), recorded()]).toEqual([[ANONYMOUS], [], undefined]);
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
      array.attachVolume({ volumeId: id, hostId: me.hostId, readOnly: false }, new AbortController().signal),
    );
  record({ volumeId: looked.id, arrayName: looked.name });
  await command(true);
  expect(world.leaks()).toContain(`mapping of ${byHand.name} to ${two.sdcId}`);
  expect(byHand.mappings.size).toBe(1);
  expect(left()).toEqual([LOOKALIKE]);
});

it('does not list what is mapped to all hosts, nor a snapshot', async () => {
  const { world, command, stored, lines } = await scene(ANONYMOUS);
  const other = arrayNameFor('docker-', 'a1'.repeat(32) as VolumeName);
  world.array.snapshot(stored(ANONYMOUS).id, other, 0);
  stored(ANONYMOUS).mappedToAllSdcs = true;
  await command(false);
  expect(lines).toEqual(['there is no free volume whose name an engine made up']);
});

it('keeps one whose label is of another anonymous volume', async () => {
  const { world, command, left, lines, stored } = await scene(ANONYMOUS);
  const { content } = stored(ANONYMOUS);
  if (content.kind !== 'filesystem' || content.label === undefined) throw new Error('no label');
  content.label = { ...content.label, name: 'a1'.repeat(32) };
  await command(true);
  expect(left()).toEqual([ANONYMOUS]);
  expect(lines.at(-1)).toContain('does not say that an engine made its name up');
  expect(world.leaks()).toEqual([]);
});

it('does not even attach one while this host may not be who it says', async () => {
  const { world, two, command, left, seen } = await scene(ANONYMOUS);
  two.isSeenAt('10.9.9.9');
  await command(true);
  expect([left(), seen, world.leaks()]).toEqual([[ANONYMOUS], [], []]);
});

it('does not attach what was renamed since it was listed, nor what the plugin here works with', async () => {
  const renamed = await scene(ANONYMOUS);
  const listVolumes = renamed.host.array.listVolumes.bind(renamed.host.array);
  renamed.host.array.listVolumes = async (...args) => {
    const listed = await listVolumes(...args);
    renamed.world.array.rename(renamed.stored(ANONYMOUS).id, 'docker-db');
    return listed;
  };
  await renamed.command(true);
  expect([renamed.seen, renamed.world.exists('db')]).toEqual([[], true]);
  expect(renamed.lines.at(-1)).toContain('it is no longer as it was listed');

  const entered = await scene(ANONYMOUS);
  await entered.enter(entered.stored(ANONYMOUS));
  await entered.command(true);
  expect([entered.seen, entered.left()]).toEqual([[], [ANONYMOUS]]);
  expect(entered.lines.at(-1)).toContain('the plugin on this host works with it');
});

it('does not remove what was renamed while somebody thought about it', async () => {
  const { world, command, stored, lines } = await scene(ANONYMOUS);
  const { id } = stored(ANONYMOUS);
  await command(true, true, () => {
    world.array.rename(id, 'docker-db');
  });
  expect(world.exists('db')).toBe(true);
  expect(lines.at(-1)).toContain('it is no longer as it was listed');
});

it('keeps the record of a mapping that got no answer, for it may still come', async () => {
  const { host, command, left, recorded } = await scene(ANONYMOUS);
  host.array.attachVolume = () => Promise.reject(new GatewayUnavailableError('the answer got lost'));
  await command(true);
  expect(left()).toEqual([ANONYMOUS]);
  expect(recorded()).toBeDefined();
});

it('has its record on disk before it asks for the mapping', async () => {
  const { host, command, recorded } = await scene(ANONYMOUS);
  const attachVolume = host.array.attachVolume.bind(host.array);
  const before: unknown[] = [];
  host.array.attachVolume = (request, signal) => {
    before.push(recorded()?.volumeId === request.volumeId);
    return attachVolume(request, signal);
  };
  await command(true);
  expect(before).toEqual([true]);
});

it('leaves mapped what a killed look attached and somebody uses by now, and says so', async () => {
  const { two, command, lookedAndKilled } = await scene(ANONYMOUS);
  const volume = await lookedAndKilled(ANONYMOUS);
  two.kernel.openRaw('dd', volume);
  await expect(command(true)).rejects.toThrow('it stays mapped to this host');
  expect([...volume.mappings.keys()]).toEqual([two.sdcId]);
});

it.each(['renamed', "the plugin's own", 'taken off'] as const)(
  'does not unmap what a killed look attached and is %s by now',
  async (since) => {
    const { world, two, host, command, lookedAndKilled, enter } = await scene(ANONYMOUS);
    const volume = await lookedAndKilled(ANONYMOUS);
    if (since === 'renamed') world.array.rename(volume.id, 'docker-db');
    if (since === "the plugin's own") await enter(volume);
    if (since === 'taken off') world.array.unmap(volume.id, two.sdcId);
    two.life.gateway.calls.clear();
    host.array.listVolumes = () => Promise.resolve([]);
    await command(true);
    expect(two.life.gateway.calls.get('detachVolume')).toBeUndefined();
    expect(volume.mappings.size).toBe(since === 'taken off' ? 0 : 1);
  },
);
