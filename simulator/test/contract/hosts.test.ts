import { request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { readFile, stat, writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MdmMessage, SdcVolume } from '../../src/sdc-protocol.ts';
import type { Simulator } from '../../src/simulator.ts';
import { guidA, guidB, simulate } from './gateway-client.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

/** A bare agent: it hears, and answers only when it is told to. */
class Agent {
  readonly messages: MdmMessage[] = [];
  readonly #mdmUrl: string;
  readonly #guid: string;
  #request: ReturnType<typeof request> | undefined;
  ended = false;

  constructor(sim: Simulator, guid: string) {
    this.#mdmUrl = sim.mdmUrl;
    this.#guid = guid;
  }

  async connect(): Promise<this> {
    const stream = request(`${this.#mdmUrl}/sdc/connect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    this.#request = stream;
    stream.end(JSON.stringify({ guid: this.#guid, ip: '10.0.0.1', osType: 'Linux', version: 'R3_6.0.0' }));
    const [response] = (await once(stream, 'response')) as [IncomingMessage];
    response.on('error', () => (this.ended = true));
    response.on('close', () => (this.ended = true));
    stream.on('error', () => (this.ended = true));
    const lines = createInterface({ input: response });
    lines.on('error', () => (this.ended = true));
    lines.on('line', (line) => this.messages.push(JSON.parse(line) as MdmMessage));
    await vi.waitFor(() => {
      expect(this.messages[0]).toBeDefined();
    }, PATIENT);
    onTestFinished(() => {
      this.cut();
    });
    return this;
  }

  cut(): void {
    this.#request?.destroy();
  }

  volumes(): readonly SdcVolume[] | undefined {
    return this.messages.findLast((message) => message.type === 'volumes')?.volumes;
  }

  async post(path: string, body: object): Promise<number> {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ guid: this.#guid, ...body }),
    };
    return (await fetch(this.#mdmUrl + path, init)).status;
  }
}

async function scene(settings: Parameters<typeof simulate>[0] = {}) {
  const { sim, client } = await simulate(settings);
  const id = await client.createVolume();
  const agent = await new Agent(sim, guidA).connect();
  await vi.waitFor(() => {
    expect(agent.volumes()).toEqual([]);
  }, PATIENT);
  const fence = async () =>
    JSON.parse(await readFile(join(sim.dir, 'fence', id), 'utf8')) as { allowed: string[] };
  const held = (guid: string) => join(sim.dir, 'fence', `${id}.${guid}.held`);
  const map = (guid: string) => client.act('Volume', id, 'addMappedSdc', { guid });
  const unmap = (guid: string) => client.act('Volume', id, 'removeMappedSdc', { guid });
  return { sim, client, id, agent, fence, held, map, unmap };
}

/** Stands behind a `.held` file as an agent's device does, until the function it gives is called. */
async function hold(file: string): Promise<() => Promise<void>> {
  await writeFile(file, '0');
  const holder = execa('flock', ['--exclusive', file, 'cat'], { stdin: 'pipe', reject: false });
  await vi.waitFor(async () => {
    const free = await execa('flock', ['--nonblock', '--shared', file, 'true'], { reject: false });
    expect(free.exitCode).not.toBe(0);
  }, PATIENT);
  const release = async (): Promise<void> => {
    holder.kill();
    await holder;
  };
  onTestFinished(release);
  return release;
}

describe('the stream to an SDC', () => {
  test('begins with a welcome and the list, and makes the SDC Connected', async () => {
    const { sim, client, agent } = await scene();
    const [sdc] = await client.list('Sdc');
    expect(agent.messages[0]).toMatchObject({ type: 'welcome', systemId: sim.systemId, sdcId: sdc?.['id'] });
    expect(sdc).toMatchObject({ mdmConnectionState: 'Connected', softwareVersionInfo: 'R3_6.0.0' });
  });

  test.each(['process', 'machine'] as const)(
    'says that what is flushed is to outlive the machine where the settings do (%s)',
    async (durability) => {
      const { agent, map } = await scene({ durability });
      await map(guidA);
      await vi.waitFor(() => {
        expect(agent.volumes()).toMatchObject([{ durable: durability === 'machine' }]);
      }, PATIENT);
    },
  );

  test('tells of a mapping before the call returns, with a file of the right size', async () => {
    const { agent, id, map, fence } = await scene();
    expect((await map(guidA)).status).toBe(200);
    await vi.waitFor(() => {
      expect(agent.volumes()).toMatchObject([{ volumeId: id, sizeKiB: 8_388_608, readOnly: false }]);
    }, PATIENT);
    expect((await stat(agent.volumes()?.[0]?.file ?? '')).size).toBe(8 * 2 ** 30);
    expect((await fence()).allowed).toEqual([guidA]);
  });

  test('tells of a new size', async () => {
    const { client, agent, id, map } = await scene();
    await map(guidA);
    await client.act('Volume', id, 'setVolumeSize', { sizeInGB: '16' });
    await vi.waitFor(() => {
      expect(agent.volumes()).toMatchObject([{ sizeKiB: 16_777_216 }]);
    }, PATIENT);
    expect((await stat(agent.volumes()?.[0]?.file ?? '')).size).toBe(16 * 2 ** 30);
  });

  test('pings', async () => {
    const { agent } = await scene();
    await vi.waitFor(() => {
      expect(agent.messages.some(({ type }) => type === 'ping')).toBe(true);
    }, 3000);
  });

  test('sends the list again on rescan', async () => {
    const { agent } = await scene();
    const lists = () => agent.messages.filter(({ type }) => type === 'volumes').length;
    expect(await agent.post('/sdc/rescan', {})).toBe(200);
    await vi.waitFor(() => {
      expect(lists()).toBe(2);
    }, PATIENT);
  });

  test('ends: the SDC is Disconnected', async () => {
    const { client, agent } = await scene();
    agent.cut();
    await vi.waitFor(async () => {
      expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Disconnected' });
    }, PATIENT);
  });

  test('a second stream of the same SDC takes the place of the first', async () => {
    const { sim, client, agent } = await scene();
    await new Agent(sim, guidA).connect();
    await vi.waitFor(() => {
      expect(agent.ended).toBe(true);
    }, PATIENT);
    expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Connected' });
  });

  test('an SDC that is not approved is refused', async () => {
    const { sim } = await simulate({ restrictedSdcMode: 'Guid' });
    const agent = await new Agent(sim, guidA).connect();
    await vi.waitFor(() => {
      expect(agent.ended).toBe(true);
    }, PATIENT);
    expect(agent.messages).toEqual([{ type: 'refused', reason: 'not approved' }]);
  });

  test('a silent SDC is cut off and does not get back until cleared', async () => {
    const { sim, client, agent } = await scene();
    sim.silence(guidA);
    await vi.waitFor(() => {
      expect(agent.ended).toBe(true);
    }, PATIENT);
    await expect(new Agent(sim, guidA).connect()).rejects.toThrow();
    expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Disconnected' });
    sim.silence(guidA, false);
    await new Agent(sim, guidA).connect();
    expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Connected' });
  });

  test('reports of I/O show in the statistics of volume, SDC and pool, and fade', async () => {
    let now = Date.now();
    const { sim, client } = await simulate({ now: () => now });
    const id = await client.createVolume();
    const agent = await new Agent(sim, guidA).connect();
    const [sdc] = await client.list('Sdc');
    const io = { volumeId: id, readKiB: 64, reads: 4, writeKiB: 4096, writes: 10, seconds: 1 };
    expect(await agent.post('/sdc/io', { volumes: [io] })).toBe(200);
    const statistics = async (path: string) =>
      (await client.get(`/api/instances/${path}/relationships/Statistics`)).body;
    const busy = {
      userDataWriteBwc: { totalWeightInKb: 4096, numOccured: 10 },
      userDataReadBwc: { numOccured: 4 },
    };
    expect(await statistics(`Volume::${id}`)).toMatchObject(busy);
    expect(await statistics(`Sdc::${String(sdc?.['id'])}`)).toMatchObject(busy);
    expect(await statistics('System::')).toMatchObject(busy);
    now += 11_000;
    const zero = { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 };
    expect(await statistics(`Volume::${id}`)).toMatchObject({
      userDataWriteBwc: zero,
      userDataReadBwc: zero,
    });
  });
});

describe('taking a volume away', () => {
  test('the reply waits for the connected SDC to acknowledge', async () => {
    const { agent, id, map, unmap, fence } = await scene();
    await map(guidA);
    let answered = false;
    const reply = unmap(guidA).then((result) => {
      answered = true;
      return result;
    });
    await vi.waitFor(() => {
      expect(agent.volumes()).toEqual([]);
    }, PATIENT);
    expect((await fence()).allowed).toEqual([]);
    expect(answered).toBe(false);
    expect(await agent.post('/sdc/ack', { volumeIds: [] })).toBe(200);
    expect((await reply).status).toBe(200);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
  });

  test('the reply waits while the SDC still holds the device, also when it is disconnected', async () => {
    const { client, agent, map, unmap, held } = await scene();
    await map(guidA);
    const release = await hold(held(guidA));
    agent.cut();
    await vi.waitFor(async () => {
      expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Disconnected' });
    }, PATIENT);
    let answered = false;
    const reply = unmap(guidA).then((result) => {
      answered = true;
      return result;
    });
    await vi.waitFor(async () => {
      expect((await client.list('Volume'))[0]).toMatchObject({ mappedSdcInfo: null });
    }, PATIENT);
    for (let count = 0; count < 40; count += 1) await client.get('/api/version');
    expect(answered).toBe(false);
    await rm(held(guidA));
    expect((await reply).status).toBe(200);
    await release();
  });

  test('a host that died while holding it does not hold it', async () => {
    const { agent, map, unmap, held } = await scene();
    await map(guidA);
    const die = await hold(held(guidA));
    agent.cut();
    await die();
    const started = performance.now();
    expect((await unmap(guidA)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('an SDC that does not answer delays the reply no longer than the set time', async () => {
    const { sim, client } = await simulate({ releaseTimeoutMs: 200 });
    const id = await client.createVolume();
    await new Agent(sim, guidA).connect();
    await client.act('Volume', id, 'addMappedSdc', { guid: guidA });
    expect((await client.act('Volume', id, 'removeMappedSdc', { guid: guidA })).status).toBe(200);
  });

  test('mapping to another SDC waits too until the former one has let go', async () => {
    const { sim, map, held } = await scene();
    await sim.connectSdc({ guid: guidB });
    await hold(held(guidA));
    let answered = false;
    const reply = map(guidB).then((result) => {
      answered = true;
      return result;
    });
    await vi.waitFor(async () => {
      const fence = await readFile(held(guidA).replace(/\..*$/, ''), 'utf8');
      expect(JSON.parse(fence)).toMatchObject({ allowed: [guidB] });
    }, PATIENT);
    expect(answered).toBe(false);
    await rm(held(guidA));
    expect((await reply).status).toBe(200);
  });
});
