import type { FastifyInstance } from 'fastify';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { SimulatedArray } from './array/array.ts';
import { ensureCertificate, type Certificate } from './certificates.ts';
import { addControls } from './controls/controls.ts';
import { Faults } from './faults/faults.ts';
import { RequestLog } from './faults/request-log.ts';
import { GatewayApi } from './gateway/api.ts';
import { SimulatedGateway } from './gateway/simulated-gateway.ts';
import { typeContext } from './gateway/object-type.ts';
import { Sessions } from './gateway/sessions.ts';
import { MdmPort } from './mdm-port.ts';
import { virtualSdc, type VirtualSdc } from './array/virtual-sdc.ts';
import { seedVolumes } from './array/seed.ts';
import { settingsSchema, type Settings, type SettingsInput } from './settings.ts';
import { keepFolder, makeTemporaryFolder } from './temporary-folder.ts';

export interface SimulatorOptions extends SettingsInput {
  /** Where the state is kept; a temporary folder that goes with the simulator, or with the next that starts, when absent. */
  readonly dir?: string;
  /** Milliseconds since 1970, for tests of time. */
  readonly now?: () => number;
  /** Milliseconds since some moment, which only ever grow; `now` where only that is given. */
  readonly elapsed?: () => number;
}

/** A running simulated array. */
export class Simulator {
  readonly dir: string;
  readonly settings: Settings;
  readonly array: SimulatedArray;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly sessions: Sessions;
  readonly gateways: readonly SimulatedGateway[];
  /** Certificate to verify the gateways with, when one of them speaks HTTPS. */
  readonly caFile: string | undefined;
  readonly #mdmPort: MdmPort;
  readonly #temporary: boolean;
  #closed: Promise<void> | undefined;

  constructor(parts: {
    readonly dir: string;
    readonly temporary: boolean;
    readonly settings: Settings;
    readonly array: SimulatedArray;
    readonly faults: Faults;
    readonly now: () => number;
    readonly elapsed: () => number;
    readonly certificate: Certificate | undefined;
  }) {
    const { array, faults, settings, now, elapsed, certificate } = parts;
    this.dir = parts.dir;
    this.#temporary = parts.temporary;
    this.settings = settings;
    this.array = array;
    this.faults = faults;
    this.requests = new RequestLog();
    this.caFile = certificate?.caFile;
    const { users, tokenLifeSeconds, tokenIdleSeconds } = settings;
    this.sessions = new Sessions({
      users,
      lifeMs: tokenLifeSeconds * 1000,
      idleMs: tokenIdleSeconds * 1000,
      now,
      elapsed,
    });
    const shared = { ...typeContext(array), sessions: this.sessions, faults, requests: this.requests };
    const api = new GatewayApi(shared);
    const extend = (app: FastifyInstance): void => {
      if (settings.faults) addControls(app, this);
    };
    const { htmlErrors } = settings;
    const random = Math.random;
    this.gateways = settings.gateways.map(({ host, port, tls }, gateway) => {
      const files = tls ? certificate : undefined;
      return new SimulatedGateway({
        ...shared,
        api,
        host,
        port,
        tls: files,
        htmlErrors,
        gateway,
        now,
        random,
        extend,
      });
    });
    this.#mdmPort = new MdmPort({ array, faults, ...settings.mdm, extend });
  }

  /** Of the gateways, without a path. */
  get urls(): string[] {
    return this.gateways.map((gateway) => gateway.url);
  }

  /** Of the port that SDC agents connect to. */
  get mdmUrl(): string {
    return this.#mdmPort.url;
  }

  get systemId(): string {
    return this.array.cluster.state.system().id;
  }

  async listen(): Promise<void> {
    await this.#mdmPort.listen();
    for (const gateway of this.gateways) await gateway.up();
  }

  /** Makes thin volumes without data, named prefix and number. */
  async seed(request: {
    count: number;
    prefix?: string;
    poolId?: string;
    sizeGiB?: number;
  }): Promise<string[]> {
    return seedVolumes(this.array, request);
  }

  /** Connects an SDC that has no agent: it takes what the MDM tells it and lets go at once. */
  async connectSdc(sdc: { guid: string; ip?: string; name?: string }): Promise<VirtualSdc> {
    return virtualSdc(this.array, sdc);
  }

  /** The MDM no longer hears this SDC, until it is cleared. */
  silence(guid: string, silent = true): void {
    const upper = guid.toUpperCase();
    if (!silent) {
      this.faults.silent.delete(upper);
      return;
    }
    this.faults.silent.add(upper);
    const id = this.array.cluster.state.sdcsByGuid.first(upper);
    if (id !== undefined) this.array.connections.drop(id);
  }

  /** Ends everything, once; with a temporary folder the state goes too. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.down()));
    await this.array.close();
    await this.#mdmPort.close();
    if (this.#temporary) await rm(this.dir, { recursive: true, force: true });
  }
}

/** Starts a simulated array with one gateway or more. Throws ZodError for wrong options, SimulatorError when it cannot listen. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { dir: given, now = Date.now, ...rest } = options;
  const { elapsed = options.now ?? (() => performance.now()), ...input } = rest;
  const settings = settingsSchema.parse(input);
  const dir = resolve(given ?? (await makeTemporaryFolder(tmpdir())));
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (given !== undefined) await keepFolder(dir);
  const faults = new Faults(elapsed);
  const deviceFaultOf = (volumeId: string) => faults.deviceFaultOf(volumeId);
  const array = await SimulatedArray.open({ dir, settings, now, elapsed, deviceFaultOf });
  const hosts = [...settings.gateways.map((gateway) => gateway.host), ...settings.certificateHosts];
  const secure = settings.gateways.some((gateway) => gateway.tls);
  const certificate = secure ? await ensureCertificate(dir, hosts, now) : undefined;
  const temporary = given === undefined;
  const simulator = new Simulator({ dir, temporary, settings, array, faults, now, elapsed, certificate });
  try {
    await simulator.listen();
  } catch (error) {
    await simulator.close();
    throw error;
  }
  return simulator;
}
