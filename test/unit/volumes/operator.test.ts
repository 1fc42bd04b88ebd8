import { describe, expect, it } from 'vitest';
import { GatewayRejectedError, InvalidRequestError, VolumeInUseError } from '../../../src/errors.ts';
import { VolumeOperator } from '../../../src/volumes/takeover/operator.ts';
import type { HostId } from '../../../src/array/ids.ts';
import { World } from './world/world.ts';

const MAPPING = { accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 } as const;

/** "db" is on host 1; an operator sits at host 3. */
async function scene() {
  const world = new World(3);
  const [one, two, desk] = [world.host(1), world.host(2), world.host(3)];
  for (const host of world.hosts) host.mayFence = true;
  await world.run(one.life.create('db', { failover: 'never' }));
  await world.run(one.life.mount('db', 'a'));
  const operator = new VolumeOperator(desk.life.host, desk.life.host.policy);
  const look = () => operator.look('db', desk.life.call().signal);
  const force = async (wanted?: string) => {
    const held = await look();
    return operator.forceRelease(
      held,
      operator.chooseHolder(held, wanted),
      'operator test',
      desk.life.call().signal,
    );
  };
  const holders = (): HostId[] => [...world.volume('db').mappings.keys()];
  return { world, one, two, desk, operator, look, force, holders };
}

describe('a volume that is taken by force', () => {
  it('leaves its holder alone, with one record of who did it', async () => {
    const { one, desk, force, holders } = await scene();
    await force();
    expect(holders()).toEqual([]);
    expect(desk.disk.fences).toMatchObject([
      { by: 'operator test', from: one.sdcId, policy: 'forced', holderState: 'connected', outcome: 'taken' },
    ]);
  });

  it('stays where it is when it is no longer as it was shown', async () => {
    const { world, one, two, desk, operator, look, holders } = await scene();
    const held = await look();
    const shown = operator.chooseHolder(held, undefined);
    await world.run(one.life.unmount('db', 'a'));
    await world.run(two.life.mount('db', 'b'));
    const forcing = operator.forceRelease(held, shown, 'operator test', desk.life.call().signal);
    await expect(forcing).rejects.toThrow(InvalidRequestError);
    expect(holders()).toEqual([two.sdcId]);
    expect(desk.disk.fences).toEqual([]);
  });

  it('is said to be back when its holder has it again at once', async () => {
    const { world, desk, force } = await scene();
    world.array.keepsMappings = true;
    const forcing = force();
    await expect(forcing).rejects.toThrow(VolumeInUseError);
    await expect(forcing).rejects.toThrow('host host1 (10.0.0.1), which mapped it again at once');
    expect(desk.disk.fences).toMatchObject([{ outcome: 'late' }]);
  });

  it('is recorded as failed when the array refuses', async () => {
    const { one, desk, force, holders } = await scene();
    desk.life.steps.hook = ({ method, side }) =>
      method === 'detachVolume' && side === 'before'
        ? new GatewayRejectedError('no', { refusal: 'other' })
        : 'go';
    await expect(force()).rejects.toThrow(GatewayRejectedError);
    expect(holders()).toEqual([one.sdcId]);
    expect(desk.disk.fences).toMatchObject([{ outcome: 'failed' }]);
  });

  it('leaves only the one SDC that was named, of several, and the next Mount has what nobody else holds', async () => {
    const { world, one, two, desk, force, holders } = await scene();
    world.volume('db').mappings.set(two.sdcId, { ...MAPPING });
    await expect(force()).rejects.toThrow('held by host1 (10.0.0.1), host2 (10.0.0.2): say which');
    const mounting = world.run(desk.life.mount('db', 'c'));
    await expect(mounting).rejects.toThrow('docker-volume-scaleio volume force-release db --holder HOST');
    await force('10.0.0.1');
    expect(holders()).toEqual([two.sdcId]);
    await force(two.sdcId);
    expect(world.array.fences.map(({ from }) => from)).toEqual([one.sdcId, two.sdcId]);
    await world.run(desk.life.mount('db', 'c'));
    expect(holders()).toEqual([desk.sdcId]);
  });
});
