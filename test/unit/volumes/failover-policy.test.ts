import { describe, expect, it } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import { VolumeOperator } from '../../../src/volumes/takeover/operator.ts';
import type { HostId } from '../../../src/array/ids.ts';
import type { FailoverPolicy } from '../../../src/volumes/volume.ts';
import type { StoredVolume } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import { World } from './world/world.ts';

/** "db" is mounted on host 1 for a container that has written; hosts 2 and 3 have seen it and may fence. */
async function heldByFirst(options: Record<string, string> = {}) {
  const world = new World(3);
  const [one, two, three] = [world.host(1), world.host(2), world.host(3)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  for (const host of world.hosts) host.mayFence = true;
  await run(one.life.create('db', options));
  await run(one.life.mount('db', 'a'));
  one.kernel.bind('a', '/run/volumes/docker-db');
  one.kernel.write('a', 'record', 'of host1');
  for (const { life } of [two, three]) {
    await run(life.get('db'));
    await run(life.host.identity.current(life.call().signal));
  }
  const holders = (): HostId[] => [...world.volume('db').mappings.keys()];
  return { world, one, two, three, run, holders };
}

function stepsOf(host: FakeHost): string[] {
  return host.life.steps.points
    .filter(({ port, side }) => port === 'array' && side === 'before')
    .map(({ method }) => method);
}

describe('a failover policy', () => {
  const operatorOf = ({ life }: FakeHost): VolumeOperator => new VolumeOperator(life.host, life.host.policy);
  const change = async (host: FakeHost, policy: FailoverPolicy | 'default'): Promise<string> => {
    const { signal } = host.life.call();
    const plan = await operatorOf(host).planPolicy('db', policy, signal);
    await operatorOf(host).changePolicy(plan, signal);
    return plan.how;
  };
  const markers = (world: World): string[] =>
    [...world.array.volumes.values()]
      .map(({ name }) => name.split('.')[0] ?? '')
      .filter((name) => name.startsWith('~'));

  it('rule 16: "never" holds after its marker was deleted at the array, where this host knows the label', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'never' });
    one.kernel.letGo('a');
    await run(one.life.unmount('db', 'a'));
    await run(two.life.mount('db', 'seen'));
    await run(two.life.unmount('db', 'seen'));
    await run(one.life.mount('db', 'again'));
    for (const { id, name } of world.array.volumes.values())
      if (name.startsWith('~never.')) world.array.remove(id);
    one.powerOff();
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'which has lost the array (failover policy "never" by its label alone, since its marker on the array is gone',
    );
    expect(holders()).toEqual([one.sdcId]);
  });

  it('is the strictest of two markers', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'always' });
    const { id } = world.volume('db');
    world.array.snapshot(id, `~never.${id}`, 0);
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "never"');
    one.powerOff();
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "never"');
    expect(holders()).toEqual([one.sdcId]);
  });

  it('is the strictest of two markers also where neither is "never"', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'always' });
    const { id } = world.volume('db');
    world.array.snapshot(id, `~disconnected.${id}`, 0);
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "disconnected"');
    expect(holders()).toEqual([one.sdcId]);
  });

  it('of the marker goes before that of the label, which a command has not changed', async () => {
    const { one, two, three, run, holders } = await heldByFirst({ failover: 'always' });
    await run(two.life.mount('db', 'b'));
    two.kernel.letGo('b');
    await run(one.life.mount('db', 'again'));
    expect(await run(change(three, 'disconnected'))).toBe('rename');
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "disconnected"');
    expect(holders()).toEqual([one.sdcId]);
  });

  it('is not that of a volume of the same name that is gone', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'never' });
    await run(one.life.unmount('db', 'a'));
    one.kernel.letGo('a');
    await run(one.life.reconcile());
    await run(two.life.mount('db', 'seen'));
    await run(two.life.unmount('db', 'seen'));
    await run(one.life.remove('db'));
    await run(one.life.create('db', { size: '8GiB' }));
    await run(one.life.mount('db', 'a'));
    one.powerOff();
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([two.sdcId]);
    expect(world.array.violations).toEqual([]);
  });

  it('is changed by renaming the marker, which holds no block, also against the label', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst({ failover: 'never' });
    const count = world.array.volumes.size;
    expect(await run(change(three, 'disconnected'))).toBe('rename');
    expect(markers(world)).toEqual(['~disconnected']);
    expect(world.array.volumes.size).toBe(count);
    one.powerOff();
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([two.sdcId]);
    expect(await run(change(three, 'default'))).toBe('rename');
    expect(await run(change(three, 'default'))).toBe('none');
    expect((await run(operatorOf(three).look('db', three.life.call().signal))).failover).toBe('default');
  });

  it('"never" of a volume that was made without one stands in the name of an empty volume beside it', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst();
    expect(await run(change(three, 'never'))).toBe('stand-in');
    const standIn = world.array.named(`~never.${world.volume('db').id}`);
    expect([standIn.kind, standIn.content.kind, standIn.mappings.size]).toEqual(['thin', 'blank', 0]);
    expect((await run(operatorOf(three).look('db', three.life.call().signal))).failover).toBe('never');
    one.powerOff();
    const before = stepsOf(two).length;
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "never"');
    expect(stepsOf(two).slice(before)).toEqual(['getVolume', 'getHost', 'findVolumeId']);
    expect(holders()).toEqual([one.sdcId]);
    expect(await run(change(three, 'default'))).toBe('drop');
    expect(markers(world)).toEqual([]);
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([two.sdcId]);
  });

  it('other than "never" takes a snapshot where there is no marker, and leaves no stand-in', async () => {
    const { world, three, run } = await heldByFirst();
    await run(change(three, 'never'));
    expect(await run(change(three, 'always'))).toBe('snapshot');
    expect(markers(world)).toEqual(['~always']);
    expect(await run(change(three, 'never'))).toBe('rename');
    expect(markers(world)).toEqual(['~never']);
  });

  it("rule 13: leaves what bears a marker's name and is none", async () => {
    const { world, three, run } = await heldByFirst();
    await run(change(three, 'never'));
    const standIn = world.array.named(`~never.${world.volume('db').id}`);
    standIn.sizeKiB *= 2;
    await expect(run(change(three, 'default'))).rejects.toThrow('is none that this plugin made');
    expect(markers(world)).toEqual(['~never']);
  });

  it.each<[string, (world: World, standIn: StoredVolume, hostId: HostId) => void]>([
    [
      'was renamed',
      ({ array }, { id }) => {
        array.rename(id, 'docker-kept');
      },
    ],
    [
      'got a host',
      ({ array }, { id }, hostId) => {
        array.map(id, hostId, false);
      },
    ],
  ])('rule 13: leaves a stand-in that %s since it was planned to go', async (_what, change_) => {
    const { world, two, three, run } = await heldByFirst();
    await run(change(three, 'never'));
    const standIn = world.array.named(`~never.${world.volume('db').id}`);
    const { signal } = three.life.call();
    const plan = await run(operatorOf(three).planPolicy('db', 'default', signal));
    change_(world, standIn, two.sdcId);
    await expect(run(operatorOf(three).changePolicy(plan, signal))).rejects.toThrow(
      'is none that this plugin made',
    );
    expect(world.array.volumes.has(standIn.id)).toBe(true);
  });

  it('rule 13: leaves a snapshot of something else that bears the name of a marker', async () => {
    const { world, three, run } = await heldByFirst({ failover: 'never' });
    const { id } = world.volume('db');
    const other = world.array.snapshot(world.array.named(`~never.${id}`).id, `~always.${id}`, 0);
    await expect(run(change(three, 'default'))).rejects.toThrow('is none that this plugin made');
    expect(world.array.volumes.has(other.id)).toBe(true);
  });

  it("rule 13: a Remove leaves what bears a stand-in's name and is none", async () => {
    const { world, one, two, run } = await heldByFirst();
    await run(change(two, 'never'));
    const standIn = world.array.named(`~never.${world.volume('db').id}`);
    standIn.sizeKiB *= 2;
    one.kernel.letGo('a');
    await run(one.life.unmount('db', 'a'));
    await run(two.life.remove('db'));
    expect([...world.array.volumes.values()]).toEqual([standIn]);
  });

  it('stays when the removal of its volume came to nothing', async () => {
    const { world, one, two, run } = await heldByFirst({ failover: 'never' });
    one.kernel.letGo('a');
    await run(one.life.unmount('db', 'a'));
    two.life.steps.hook = ({ method, side }) =>
      method === 'removeVolume' && side === 'before' ? new GatewayUnavailableError('no gateway') : 'go';
    await expect(run(two.life.remove('db'))).rejects.toThrow('no gateway');
    two.life.steps.hook = () => 'go';
    await world.reconcileAll();
    expect(markers(world)).toEqual(['~never']);
    expect(world.exists('db')).toBe(true);
  });

  it('goes with its volume', async () => {
    const { world, one, two, run } = await heldByFirst();
    await run(change(two, 'never'));
    one.kernel.letGo('a');
    await run(one.life.unmount('db', 'a'));
    // This host never saw the label, so it looks.
    await run(two.life.remove('db'));
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual([]);
  });
});
