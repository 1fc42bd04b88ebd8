import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import { type LabArray, startArray } from '../../lab/hosts/array.ts';
import { addressOf } from '../../lab/hosts/network.ts';
import { until } from '../../lab/hosts/until.ts';
import { builtPlugin } from '../../plugin/built.ts';
import { bareStage, type Stage } from '../../lab/stage/stage.ts';
import { deedsOf, publishSteward, type StewardContainer, StewardService } from './steward-service.ts';

const spares = [1, 2, 3, 1, 2, 3].map((sds, index) => ({
  sds: `pd1-sds${sds}`,
  path: `/dev/disk/by-id/wwn-0x5000c500a1b2c30${index}`,
}));
const receiverPort = 9000;
const policy = {
  version: 1,
  act: true,
  interval: '1s',
  webhooks: [
    { url: `http://${addressOf('storage', 0)}:${receiverPort}/`, secretFile: '/run/secrets/alerts-key' },
  ],
  pools: [{ pool: 'sp1', grow: { above: 85, cooldown: '3s', maxDevices: 9, devices: spares } }],
};

const stateSchema = z.object({
  pools: z.array(
    z.object({ id: z.string(), usedPercent: z.number(), devices: z.array(z.object({ path: z.string() })) }),
  ),
  sdss: z.array(z.object({ id: z.string(), name: z.string() })),
});

const alertSchema = z.object({ headers: z.record(z.string(), z.string()), body: z.string() });

const inspected = z.tuple([
  z.object({
    Config: z.object({ User: z.string() }),
    HostConfig: z.object({
      ReadonlyRootfs: z.boolean(),
      CapDrop: z.array(z.string()),
      Memory: z.number(),
      NanoCpus: z.number(),
    }),
    State: z.object({ Health: z.object({ Status: z.string() }) }),
  }),
]);

describe('the steward as a stack on a Swarm of three managers', () => {
  let stage: Stage;
  let array: LabArray;
  let service: StewardService;

  beforeAll(async () => {
    const plugin = await builtPlugin();
    stage = await bareStage({ hosts: 3 });
    const { lab } = stage;
    // A disk full of data moves in seconds instead of hours.
    const fastMoves = { movementKiBPerSecond: 512 * 1024 ** 2 };
    const [image] = await Promise.all([
      publishSteward(lab, plugin),
      startArray(lab, { tls: true, settings: fastMoves }).then((started) => (array = started)),
      lab.swarm({ managers: 3, heartbeat: '2s' }),
    ]);
    for (const { sds, path: disk } of spares) {
      const sdsId = (await arrayState()).sdss.find(({ name }) => name === sds)?.id;
      await control('/simulator/disks', { sdsId, path: disk, gib: 4096 });
    }
    const receiver = path.join(import.meta.dirname, 'webhook-receiver.ts');
    await lab.start('alerts', [process.execPath, receiver, addressOf('storage', 0), `${receiverPort}`]);
    service = await StewardService.deploy(lab, array, image, policy);
  });

  afterAll(async () => {
    await stage.close();
  });

  async function arrayState(): Promise<z.infer<typeof stateSchema>> {
    return stateSchema.parse(JSON.parse((await array.request('GET', '/simulator/state')).body));
  }

  async function control(url: string, body: object): Promise<void> {
    const { status, body: said } = await array.request('POST', url, body);
    if (status !== 200) throw new Error(`${url}: ${said}`);
  }

  /** Fills the pool so far that it needs another disk. */
  async function fill(): Promise<void> {
    const [pool] = (await arrayState()).pools;
    await control('/simulator/pools', { poolId: pool?.id, fillPercent: 90 });
  }

  async function sparesAdded(): Promise<string[]> {
    const devices = (await arrayState()).pools.flatMap((pool) => pool.devices);
    return devices
      .map(({ path: disk }) => disk)
      .filter((disk) => spares.some((spare) => spare.path === disk));
  }

  async function running(count = 1): Promise<StewardContainer[]> {
    return until(
      `${count} healthy stewards to run`,
      async () => {
        const all = await service.running();
        const healthy = await Promise.all(all.map(async (one) => (await inspect(one)).State.Health.Status));
        return all.length === count && healthy.every((status) => status === 'healthy') ? all : undefined;
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
  }

  async function inspect({ host, id }: StewardContainer): Promise<z.infer<typeof inspected>[0]> {
    return inspected.parse(JSON.parse(await host.docker(['inspect', id])))[0];
  }

  async function untilAdded(count: number): Promise<void> {
    await until(`${count} spare disks to be added`, async () => (await sparesAdded()).length >= count, {
      timeoutMs: 120_000,
      everyMs: 200,
    });
  }

  test('runs healthy as nobody, without rights and with limits, and shows its password to nobody', async () => {
    const [steward] = await running();
    if (steward === undefined) throw new Error('no steward');
    expect(await inspect(steward)).toMatchObject({
      Config: { User: '65534:65534' },
      HostConfig: { ReadonlyRootfs: true, CapDrop: ['ALL'], Memory: 256 * 1024 ** 2, NanoCpus: 5e8 },
    });
    expect(await service.inspect()).not.toContain(array.password);
    expect(await steward.host.docker(['inspect', steward.id])).not.toContain(array.password);
    const stats = await steward.host.docker([
      'stats',
      '--no-stream',
      '--format',
      '{{.MemUsage}}',
      steward.id,
    ]);
    console.log(`memory of the steward: ${stats}`);
  });

  test('grows the pool, verified by the authority of the config', async () => {
    const [steward] = await running();
    if (steward === undefined) throw new Error('no steward');
    await fill();
    await untilAdded(1);
    await until('the steward to say so', async () => (await deedsOf(steward)).length === 1);
    expect(await deedsOf(steward)).toEqual([expect.stringContaining('of SDS "pd1-sds1"')]);
  });

  test('tells of it, signed with the key of the secret', async () => {
    const log = path.join(stage.lab.directory, 'alerts.log');
    const [alert] = await until('an alert', async () => {
      const lines = (await readFile(log, 'utf8')).split('\n').filter(Boolean);
      return lines.length > 0 && lines.map((line) => alertSchema.parse(JSON.parse(line)));
    });
    const told = new Webhook(service.alertsKey).verify(alert?.body ?? '', alert?.headers ?? {});
    expect(told).toMatchObject({ kind: 'level' });
  });

  test('goes on elsewhere when its host loses power', async () => {
    const [first] = await running();
    if (first === undefined) throw new Error('no steward');
    const before = await sparesAdded();
    await first.host.powerOff();
    const since = performance.now();
    const led = first.host.number === 1 ? ', which led the Swarm,' : '';
    const after = (): string => `${Math.round(performance.now() - since)} ms after its host${led} lost power`;
    const [second] = await until(
      'a steward elsewhere',
      async () => {
        const found = await service.running();
        return found.length > 0 && found;
      },
      { timeoutMs: 120_000 },
    );
    console.log(`a steward runs elsewhere ${after()}`);
    if (second === undefined) throw new Error('no steward');
    expect(second.host).not.toBe(first.host);
    await fill();
    await untilAdded(before.length + 1);
    console.log(`it has added a disk ${after()}`);
    await until('the new steward to say so', async () => (await deedsOf(second)).length > 0);
    await first.host.boot();
    const isWhole = async (): Promise<boolean> =>
      (await service.nodes()).filter((status) => status === 'Ready').length === 3;
    await until('the Swarm to have all its managers again', isWhole, { timeoutMs: 120_000 });
  });

  test('does no harm when there are two: each disk is added once, one at a time', async () => {
    await service.scale(2);
    const two = await running(2);
    const before = await sparesAdded();
    const deedsBefore = (await Promise.all(two.map(deedsOf))).flat().length;
    await fill();
    await untilAdded(before.length + 1);
    await until('the pool to be filled evenly, and the one that did it to say so', async () => {
      const [pool] = (await arrayState()).pools;
      const deeds = (await Promise.all(two.map(deedsOf))).flat();
      return pool !== undefined && pool.usedPercent < 85 && deeds.length > deedsBefore;
    });
    expect((await Promise.all(two.map(deedsOf))).flat()).toHaveLength(deedsBefore + 1);
    expect(await sparesAdded()).toHaveLength(before.length + 1);
    expect(await running(2)).toEqual(two);
  });
});
