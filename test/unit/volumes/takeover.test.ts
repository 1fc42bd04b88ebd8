import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  GatewayRejectedError,
  GatewayUnavailableError,
  VolumeInUseError,
} from '../../../src/errors.ts';
import type { HostId } from '../../../src/array/ids.ts';
import type { FailoverPolicy } from '../../../src/volumes/volume.ts';
import type { FakeHost } from './world/fake-host.ts';
import { POLICY } from './world/life.ts';
import { World } from './world/world.ts';

const { graceMs, idleWindowMs, moveLimit, moveWindowMs } = POLICY.takeover;

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

function silence(world: World, host: FakeHost): void {
  world.array.setConnected(host.sdcId, false);
}

function stepsOf(host: FakeHost): string[] {
  return host.life.steps.points
    .filter(({ port, side }) => port === 'array' && side === 'before')
    .map(({ method }) => method);
}

describe('a Mount of a volume whose host lost power', () => {
  it('costs six gateway calls, fences before it attaches, and finds the data', async () => {
    const { one, two, run, holders, world } = await heldByFirst();
    one.powerOff();
    const before = stepsOf(two).length;
    const startedMs = world.clock.now();
    two.kernel.bind('b', await run(two.life.mount('db', 'b')));
    expect(stepsOf(two).slice(before)).toEqual([
      'getVolume',
      'getHost',
      'findVolumeId',
      'detachVolume',
      'getVolume',
      'attachVolume',
    ]);
    expect(world.clock.now() - startedMs).toBeLessThan(graceMs);
    expect(holders()).toEqual([two.sdcId]);
    expect(two.kernel.read('b', 'record')).toBe('of host1');
    expect(world.array.violations).toEqual([]);
  });

  it('leaves one record, which Get shows', async () => {
    const { one, two, run, world } = await heldByFirst();
    one.powerOff();
    await run(two.life.mount('db', 'b'));
    const record = {
      volume: 'db',
      volumeId: world.volume('db').id,
      by: two.sdcId,
      byName: 'host2 (10.0.0.2)',
      from: one.sdcId,
      fromName: 'host1 (10.0.0.1)',
      policy: 'disconnected',
      holderState: 'disconnected',
      recentIo: null,
      outcome: 'taken',
    };
    expect(two.disk.fences).toEqual([expect.objectContaining(record)]);
    expect((await run(two.life.get('db'))).status['lastFence']).toMatchObject(record);
  });
});

describe('the record of a fence', () => {
  it('is still shown when the plugin has been started again, and only on the host that took the volume', async () => {
    const { one, two, three, run } = await heldByFirst();
    one.powerOff();
    await run(two.life.mount('db', 'b'));
    two.restart();
    expect((await run(two.life.get('db'))).status['lastFence']).toMatchObject({ outcome: 'taken' });
    expect((await run(three.life.get('db'))).status['lastFence']).toBeNull();
  });

  it("tells the last I/O of a holder that is alive, and asks for nobody else's", async () => {
    const { world, one, two, three, run } = await heldByFirst({ failover: 'always' });
    world.volume('db').recentIo = 7;
    await run(two.life.mount('db', 'b'));
    expect(two.disk.fences).toMatchObject([{ recentIo: 7, holderState: 'connected', from: one.sdcId }]);
    silence(world, two);
    await run(three.life.mount('db', 'c'));
    expect(three.disk.fences).toMatchObject([{ recentIo: null, holderState: 'disconnected' }]);
    expect(three.life.gateway.calls.get('recentIo')).toBeUndefined();
  });

  it('does without the last I/O where the array does not tell it', async () => {
    const { two, run } = await heldByFirst({ failover: 'always' });
    two.life.steps.hook = ({ method }) => {
      const refusal = new GatewayRejectedError('no statistics', { refusal: 'other' });
      return method === 'recentIo' ? refusal : 'go';
    };
    await run(two.life.mount('db', 'b'));
    expect(two.disk.fences).toMatchObject([{ recentIo: null, outcome: 'taken' }]);
  });

  it('says that the array does not know the holder', async () => {
    const { world, one, two, run } = await heldByFirst({ failover: 'always' });
    world.array.sdcs.delete(one.sdcId);
    await run(two.life.mount('db', 'b'));
    expect(two.disk.fences).toMatchObject([{ holderState: 'unknown', fromName: one.sdcId }]);
  });

  it.each([
    ['before', new GatewayRejectedError('no', { refusal: 'other' }), 'failed'],
    ['before', new GatewayUnavailableError('no gateway'), 'unknown'],
    ['after', new GatewayUnavailableError('reply lost'), 'unknown'],
    ['after', new CancelledError('deadline'), 'unknown'],
  ] as const)('an unmapping that ended %s its effect with %s was %s', async (side, error, outcome) => {
    const { one, two, run } = await heldByFirst();
    one.powerOff();
    two.life.steps.hook = (point) => (point.method === 'detachVolume' && point.side === side ? error : 'go');
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(error.message);
    expect(two.disk.fences).toMatchObject([{ outcome, from: one.sdcId }]);
  });

  it('says late when the array shows the mapping again, and then nothing is mapped here', async () => {
    const { world, one, two, run, holders } = await heldByFirst();
    one.powerOff();
    world.array.keepsMappings = true;
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'held by host host1 (10.0.0.1), which took it at the same moment',
    );
    expect(two.disk.fences).toMatchObject([{ outcome: 'late' }]);
    expect(holders()).toEqual([one.sdcId]);
  });

  it('says taken when only the look afterwards failed', async () => {
    const { world, one, two, run } = await heldByFirst();
    one.powerOff();
    two.life.steps.hook = ({ method, side }) => {
      const isLookBack = method === 'getVolume' && side === 'before' && world.array.fences.length === 1;
      return isLookBack ? new GatewayUnavailableError('gone') : 'go';
    };
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('gone');
    expect(two.disk.fences).toMatchObject([{ outcome: 'taken' }]);
  });
});

describe('the failover policy decides', () => {
  const cases: [FailoverPolicy, 'alive' | 'silent' | 'busy', 'taken' | 'refused'][] = [
    ['never', 'silent', 'refused'],
    ['never', 'alive', 'refused'],
    ['disconnected', 'silent', 'taken'],
    ['disconnected', 'alive', 'refused'],
    ['idle', 'silent', 'taken'],
    ['idle', 'alive', 'taken'],
    ['idle', 'busy', 'refused'],
    ['always', 'silent', 'taken'],
    ['always', 'busy', 'taken'],
  ];
  const scopes = cases.flatMap((row) =>
    (['volume', 'host'] as const).map((scope) => [...row, scope] as const),
  );

  it.each(scopes)('"%s", holder %s: %s (set on the %s)', async (failover, holder, expected, scope) => {
    const { world, one, two, run, holders } = await heldByFirst(scope === 'volume' ? { failover } : {});
    if (scope === 'host') {
      two.policy = { ...POLICY, failover };
      two.restart();
    }
    if (holder === 'silent') silence(world, one);
    if (holder === 'busy') world.volume('db').recentIo = 7;
    const mounting = run(two.life.mount('db', 'b'));
    if (expected === 'taken') {
      await mounting;
      expect(holders()).toEqual([two.sdcId]);
      expect(two.disk.fences.map(({ outcome }) => outcome)).toEqual(['taken']);
      expect(() => {
        one.kernel.write('a', 'record', 'after the fence');
      }).toThrow('EIO');
    } else {
      await expect(mounting).rejects.toThrow(VolumeInUseError);
      expect(holders()).toEqual([one.sdcId]);
      one.kernel.write('a', 'record', 'unharmed');
      expect(two.disk.entries.size).toBe(0);
    }
    expect(world.array.violations).toEqual([]);
  });

  it("a volume's own policy wins over the host's", async () => {
    const { one, two, run } = await heldByFirst({ failover: 'never' });
    two.policy = { ...POLICY, failover: 'always' };
    two.restart();
    one.powerOff();
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('failover policy "never"');
  });

  it('a refusal names the holder, its state, the way to update and the command that forces it', async () => {
    const { two, run } = await heldByFirst();
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'volume "db" is held by host host1 (10.0.0.1), which is connected to the array (failover policy "disconnected"): an exclusive volume cannot be on two hosts, use --update-order stop-first or stop what uses it there, or force it: docker-volume-scaleio volume force-release db',
    );
  });

  it('"idle" wants the whole window without I/O, and takes no longer than that', async () => {
    const { world, two, run } = await heldByFirst({ failover: 'idle' });
    const startedMs = world.clock.now();
    await run(two.life.mount('db', 'b'));
    const tookMs = world.clock.now() - startedMs;
    expect(tookMs).toBeGreaterThanOrEqual(idleWindowMs);
    expect(tookMs).toBeLessThan(idleWindowMs + 1000);
    expect(two.disk.fences[0]).toMatchObject({ recentIo: 0, holderState: 'connected' });
  });

  it.each([
    ['first', [3, 0, 0, 0, 0, 0]],
    ['middle', [0, 0, 3, 0, 0, 0]],
    ['last', [0, 0, 0, 3]],
  ])('"idle" refuses when there was I/O at the %s look of the window', async (_which, counts) => {
    const { world, two, run } = await heldByFirst({ failover: 'idle' });
    const volume = world.volume('db');
    Object.defineProperty(volume, 'recentIo', { get: () => counts.shift() ?? 0 });
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('doing I/O; failover policy "idle"');
    expect(world.array.fences).toEqual([]);
  });
});

describe('a holder that is alive', () => {
  it('gets the grace to let go, and then nothing is fenced', async () => {
    const { world, one, two, run } = await heldByFirst({ failover: 'always' });
    const mounting = two.life.mount('db', 'b');
    await world.pass(graceMs / 2);
    one.kernel.letGo('a');
    await one.life.unmount('db', 'a');
    await run(mounting);
    expect(world.array.fences).toEqual([]);
    expect(two.disk.fences).toEqual([]);
  });

  it('that let go before the second look is not waited for, fenced or recorded', async () => {
    const { world, one, two, run } = await heldByFirst({ failover: 'always' });
    one.kernel.letGo('a');
    two.life.steps.hook = ({ method, side }) => {
      const isSecondLook = method === 'volumesOfFamily' && side === 'before';
      if (isSecondLook) world.array.unmap(world.volume('db').id, one.sdcId);
      return 'go';
    };
    one.kernel.wasFenced = () => true;
    const startedMs = world.clock.now();
    await run(two.life.mount('db', 'b'));
    expect(world.clock.now() - startedMs).toBeLessThan(100);
    expect(two.disk.fences).toEqual([]);
  });

  it('that dies meanwhile is fenced at once', async () => {
    const { world, one, two, run, holders } = await heldByFirst();
    two.policy = { ...POLICY, takeover: { ...POLICY.takeover, graceMs: 60_000 } };
    two.restart();
    const mounting = two.life.mount('db', 'b');
    await world.pass(5000);
    one.powerOff();
    const diedMs = world.clock.now();
    await run(mounting);
    expect(world.clock.now() - diedMs).toBeLessThan(2000);
    expect(holders()).toEqual([two.sdcId]);
  });

  it('is named when the time for the Mount is over', async () => {
    const { world, two } = await heldByFirst();
    const call = two.life.call();
    const mounting = two.life.mount('db', 'b', call);
    const ending = expect(mounting).rejects.toThrow(
      /held by host host1 .*did not let go before the time for this mount was over/,
    );
    await world.pass(500);
    call.expire();
    await ending;
    expect(world.array.fences).toEqual([]);
    expect(two.disk.entries.size).toBe(0);
  });

  it('is what a holder counts as that the array cannot describe', async () => {
    const { world, one, two, run } = await heldByFirst();
    world.array.sdcs.delete(one.sdcId);
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('which may be using it');
    expect(world.array.fences).toEqual([]);
  });
});

describe('rule 2, only that SDC, never more', () => {
  it('a volume that several SDCs hold is refused, whatever the policy', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst({ failover: 'always' });
    world.volume('db').mappings.set(three.sdcId, {
      accessMode: 'ReadWrite',
      limitIops: 0,
      limitBandwidthKiBps: 0,
    });
    silence(world, one);
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'held by several hosts, host1 (10.0.0.1), host3 (10.0.0.3)',
    );
    expect(holders()).toEqual([one.sdcId, three.sdcId]);
  });

  it('exactly the mapping of the other SDC goes when the volume is mapped here too', async () => {
    const { world, one, two, run, holders } = await heldByFirst();
    const attachment = { accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 } as const;
    world.volume('db').mappings.set(two.sdcId, attachment);
    two.kernel.attached(world.volume('db'));
    one.powerOff();
    const before = stepsOf(two).length;
    await run(two.life.mount('db', 'b'));
    expect(stepsOf(two).slice(before)).toEqual([
      'getVolume',
      'getHost',
      'findVolumeId',
      'detachVolume',
      'getVolume',
    ]);
    expect(holders()).toEqual([two.sdcId]);
    expect(world.array.fences.map(({ from }) => from)).toEqual([one.sdcId]);
  });

  it('a read-only volume is shared, not fenced', async () => {
    const { world, one, two, run, holders } = await heldByFirstReadOnly();
    silence(world, one);
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([one.sdcId, two.sdcId]);
    expect(world.array.fences).toEqual([]);
  });

  it('a volume that is still mapped here needs no fence', async () => {
    const { world, one, run, holders } = await heldByFirst({ failover: 'never' });
    one.reboot();
    await run(one.life.mount('db', 'a'));
    expect(holders()).toEqual([one.sdcId]);
    expect(world.array.fences).toEqual([]);
  });

  it('who took the volume while the Mount was under way has won, even with policy "always"', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst({ failover: 'always' });
    one.powerOff();
    two.life.steps.hook = ({ method, side }) => {
      if (method === 'detachVolume' && side === 'after') {
        world.array.map(world.volume('db').id, three.sdcId, false);
      }
      return 'go';
    };
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'held by host host3 (10.0.0.3), which took it at the same moment',
    );
    expect(holders()).toEqual([three.sdcId]);
    expect(two.disk.fences.map(({ outcome }) => outcome)).toEqual(['late']);
  });

  it('a winner who appears only with the refusal of the map (306) is named and not fenced', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst({ failover: 'always' });
    one.powerOff();
    two.life.steps.hook = ({ method, side }) => {
      if (method === 'attachVolume' && side === 'before') {
        world.array.map(world.volume('db').id, three.sdcId, false);
      }
      return 'go';
    };
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'held by host host3 (10.0.0.3), which is connected to the array (it took the volume while',
    );
    expect(holders()).toEqual([three.sdcId]);
    expect(world.array.fences.map(({ from }) => from)).toEqual([one.sdcId]);
  });

  it('a winner who lets go within the grace leaves the volume to us', async () => {
    const { world, one, two, three, run, holders } = await heldByFirst();
    await run(one.life.unmount('db', 'a'));
    one.kernel.letGo('a');
    await run(one.life.reconcile());
    two.life.steps.hook = ({ method, side, number }) => {
      if (method === 'attachVolume' && side === 'before' && world.array.fences.length === 0 && number < 40) {
        if (holders().length === 0) world.array.map(world.volume('db').id, three.sdcId, false);
        two.life.steps.hook = () => 'go';
      }
      return 'go';
    };
    const mounting = two.life.mount('db', 'b');
    await world.pass(graceMs / 2);
    world.array.unmap(world.volume('db').id, three.sdcId);
    await run(mounting);
    expect(holders()).toEqual([two.sdcId]);
  });
});

describe('rule 16: a holder of which the array does not say whether it is there', () => {
  it('has the same time to let go as one that is connected', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'always' });
    const sdc = world.array.sdcs.get(one.sdcId);
    if (sdc === undefined) throw new Error('no SDC');
    world.array.sdcs.set(one.sdcId, { ...sdc, state: 'unknown' });
    const startedMs = world.clock.elapsed();
    await run(two.life.mount('db', 'b'));
    expect(world.clock.elapsed() - startedMs).toBeGreaterThanOrEqual(graceMs);
    expect(holders()).toEqual([two.sdcId]);
  });
});

describe('a volume that moves again and again', () => {
  it('stays where it is when this host took it too often, until the window is over', async () => {
    const { world, one, two, run, holders } = await heldByFirst({ failover: 'always' });
    for (let move = 0; move < moveLimit; move += 1) {
      await run(two.life.mount('db', 'b'));
      await run(one.life.mount('db', 'a2'));
    }
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('move limit reached');
    expect(holders()).toEqual([one.sdcId]);
    two.restart();
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('move limit reached');
    await world.pass(moveWindowMs);
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([two.sdcId]);
  });

  it('goes A to B to A to B, twenty times, and each time the host that lost it has nothing left', async () => {
    const { world, one, two, run, holders } = await heldByFirst();
    let [from, to] = [one, two];
    for (let move = 0; move < 20; move += 1) {
      silence(world, from);
      to.kernel.bind(`c${move}`, await run(to.life.mount('db', `c${move}`)));
      to.kernel.write(`c${move}`, `record ${move}`, 'synced');
      world.array.setConnected(from.sdcId, true);
      expect((await run(from.life.reconcile())).lost).toEqual(['db']);
      expect([from.kernel.mounts, [...from.disk.entries]]).toEqual([[], []]);
      for (const who of from.kernel.holderNames) {
        expect(() => {
          from.kernel.write(who, 'stolen', 'by the old container');
        }).toThrow('EIO');
        from.kernel.letGo(who);
        await run(from.life.unmount('db', who));
      }
      expect(holders()).toEqual([to.sdcId]);
      await world.pass(moveWindowMs / 2);
      [from, to] = [to, from];
    }
    expect(world.content('db').files.size).toBe(21);
    expect(world.array.violations).toEqual([]);
  });
});

describe('when the gateway goes away in the middle of a takeover', () => {
  it.each(['getHost', 'findVolumeId', 'detachVolume', 'getVolume', 'attachVolume'])(
    'at %s: the Mount says so, and the next one has the volume',
    async (method) => {
      const { world, one, two, run, holders } = await heldByFirst();
      one.powerOff();
      two.life.steps.hook = (point) => {
        const isLookUp = point.method === 'getVolume' && world.array.fences.length === 0;
        if (point.port === 'array' && point.method === method && point.side === 'after' && !isLookUp) {
          two.gatewayUp = false;
          return new GatewayUnavailableError('no gateway answers');
        }
        return 'go';
      };
      await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(GatewayUnavailableError);
      two.gatewayUp = true;
      two.life.steps.hook = () => 'go';
      await run(two.life.mount('db', 'b'));
      expect(holders()).toEqual([two.sdcId]);
      expect(world.array.violations).toEqual([]);
    },
  );
});

async function heldByFirstReadOnly() {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(one.life.create('db', { readonly: 'true', failover: 'always' }));
  await run(one.life.mount('db', 'a'));
  return { world, one, two, run, holders: (): HostId[] => [...world.volume('db').mappings.keys()] };
}
