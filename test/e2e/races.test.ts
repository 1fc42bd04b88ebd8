import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { type PluginAnswer, PluginSocket } from '../../lab/hosts/plugin-socket.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

interface Racer {
  readonly host: Host;
  readonly socket: PluginSocket;
}

/** One race: who has the volume, and what the other was told. */
interface Result {
  readonly winner: Racer;
  readonly loser: Racer;
  readonly refusal: string;
}

describe('two hosts that want one volume at the same instant', () => {
  let stage: ArrayStage;
  let racers: [Racer, Racer];

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2, plugin: { SCALEIO_FAILOVER_GRACE: '0s' } });
    const racer = async (host: Host): Promise<Racer> => ({ host, socket: await PluginSocket.open(host) });
    racers = [await racer(stage.lab.host(1)), await racer(stage.lab.host(2))];
  });

  afterEach(async () => {
    await stage.array.request('DELETE', '/simulator/faults');
  });

  afterAll(async () => {
    await stage.close();
  });

  /** A volume that both hosts have seen, as engines look for one before they mount it: their chances are equal. */
  async function createPrize(volume: string, options?: Readonly<Record<string, string>>): Promise<void> {
    await createVolume(racers[0].host, volume, options);
    for (const { host } of racers) await host.docker(['volume', 'inspect', volume]);
  }

  /** Both ask in the same tick; the order of asking changes with each round. */
  async function race(round: number, start: (racer: Racer) => Promise<PluginAnswer>): Promise<Result> {
    const [first, second] = round % 2 === 0 ? racers : racers.toReversed();
    if (first === undefined || second === undefined) throw new Error('a race needs two');
    const [one, other] = await Promise.all([start(first), start(second)]);
    expect([one.Err, other.Err].filter((said) => said === undefined)).toHaveLength(1);
    const [winner, loser] = one.Err === undefined ? [first, second] : [second, first];
    return { winner, loser, refusal: `${one.Err ?? ''}${other.Err ?? ''}` };
  }

  /** The volume is the winner's alone, and the loser was told by whose name and address to look for it. */
  async function expectOneHolder({ winner, loser, refusal }: Result, volume: string): Promise<void> {
    const holder = `volume "${volume}" is held by host .*${winner.host.address('storage')}`;
    expect(refusal).toMatch(new RegExp(holder));
    expect(await mappedTo(stage.array, winner.host)).toHaveLength(1);
    expect(await mappedTo(stage.array, loser.host)).toEqual([]);
  }

  /** Mounts through the plugin's own socket, which takes the engine's own time out of the race. */
  async function raceMounts(volume: string, round: number): Promise<Result> {
    const asked = { Name: volume, ID: `racer-${round}` };
    const result = await race(round, ({ socket }) => socket.call('Mount', asked));
    await expectOneHolder(result, volume);
    await untilNothingLeft(stage.array, result.loser.host);
    return result;
  }

  async function unmount({ winner }: Result, volume: string, round: number): Promise<void> {
    const { Err } = await winner.socket.call('Unmount', { Name: volume, ID: `racer-${round}` });
    expect(Err).toBeUndefined();
    await untilNothingLeft(stage.array, winner.host);
  }

  /** Neither has mapped before both have looked: nothing but the array's own refusal can decide. */
  async function slowMapping(count: number): Promise<void> {
    const rule = { kind: 'delay', path: 'addMappedSdc', delayMs: 150, count };
    await stage.array.request('POST', '/simulator/rules', rule);
  }

  function expectBothToHaveWon(results: readonly Result[]): void {
    const wins = racers.map(({ host }) => results.filter(({ winner }) => winner.host === host).length);
    console.log(racers.map(({ host }, index) => `${host.name} won ${wins[index]} times`).join(', '));
    expect(Math.min(...wins), 'a race that one host always wins proves nothing').toBeGreaterThan(0);
  }

  test('one gets it each of 40 times, and the other the name of who has it', async () => {
    await createPrize('prize');
    const results: Result[] = [];
    for (let round = 0; round < 40; round += 1) {
      if (round >= 20) await slowMapping(2);
      const result = await raceMounts('prize', round);
      results.push(result);
      await unmount(result, 'prize', round);
    }
    expectBothToHaveWon(results);
  });

  /** A container on each host, started together; what the engine said where it could not be started. */
  async function startBoth(volume: string, round: number): Promise<Result> {
    const name = `racer-${round}`;
    const mount = ['--volume', `${volume}:/data`];
    const work = ['busybox', 'sh', '-c', 'echo "$HOSTNAME" >>/data/log && sync && exec sleep 600'];
    for (const { host } of racers) {
      await host.docker(['create', '--name', name, '--hostname', host.name, ...mount, ...work]);
    }
    return race(round, async ({ host }) => {
      try {
        await host.docker(['start', name]);
        return {};
      } catch (error) {
        return { Err: String(error) };
      }
    });
  }

  test('one container starts each of 10 times, and all that was written is there', async () => {
    await createPrize('shared');
    const winners: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const result = await startBoth('shared', round);
      await expectOneHolder(result, 'shared');
      winners.push(result.winner.host.name);
      for (const { host } of racers) {
        await host.docker(['rm', '--force', `racer-${round}`]);
        await untilNothingLeft(stage.array, host);
      }
    }
    expect((await onVolume(racers[0].host, 'shared', 'cat /data/log')).split('\n')).toEqual(winners);
  });

  test('with policy "always" the loser of a race does not take the volume back, 10 times', async () => {
    await createPrize('wanted', { size: '8GiB', failover: 'always' });
    const results: Result[] = [];
    for (let round = 0; round < 10; round += 1) {
      await slowMapping(2);
      const result = await raceMounts('wanted', round);
      expect(result.refusal).toContain('it took the volume while this mount was under way');
      results.push(result);
      await unmount(result, 'wanted', round);
    }
    expectBothToHaveWon(results);
    for (const { host } of racers) expect(await lastFence(host, 'wanted')).toBe('null');
    const writer = await Writer.start(racers[0].host, 'wanted');
    await writer.remove();
  });

  async function lastFence(host: Host, volume: string): Promise<string> {
    return host.docker(['volume', 'inspect', '--format', '{{json .Status.lastFence}}', volume]);
  }
});
