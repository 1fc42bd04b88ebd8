import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleFile } from '../../plugin/bundle.ts';
import { buildDrvCfg, buildScini } from 'scaleio-simulator/sdc-programs';
import { notingNode } from '../secrets/simulated.ts';
import { newSecret } from '../secrets/used.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';
import type { ArrayOptions } from './plan.ts';
import { addressOf } from './network.ts';
import { isRunning, killHard, type ProcessId } from './process.ts';
import { until } from './until.ts';

const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const DRV_CFG = '/opt/emc/scaleio/sdc/bin/drv_cfg';
const GATEWAY_PORT = 8080;
const SECURE_PORT = 8443;
const MDM_PORT = 6611;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The simulated ScaleIO of a lab: one gateway and MDM on the storage network, and an SDC on every host. */
export class LabArray {
  /** As the hosts see it. */
  readonly endpoint = `http://${addressOf('storage', 0)}:${GATEWAY_PORT}`;
  /** With `tls`, verified by the authority in `caFile`. */
  readonly secureEndpoint = `https://${addressOf('storage', 0)}:${SECURE_PORT}`;
  readonly user = 'admin';
  readonly password: string;
  readonly #lab: Lab;
  readonly #options: ArrayOptions;
  #simulator: ProcessId | undefined;

  constructor(lab: Lab, options: ArrayOptions) {
    this.#lab = lab;
    this.password = options.password ?? newSecret('password');
    this.#options = { ...options, password: this.password };
  }

  /** Starts gateway and MDM (again, on the same state) and returns when the gateway listens. */
  async start(): Promise<void> {
    const config = path.join(this.#lab.directory, 'simulator.json');
    const users = [{ name: this.user, password: this.password }];
    const host = addressOf('storage', 0);
    const plain = { host, port: GATEWAY_PORT };
    const gateways = this.#options.tls ? [plain, { host, port: SECURE_PORT, tls: true }] : [plain];
    const settings = { version: this.#options.version ?? '3.6', mdmIps: [host], users, gateways };
    await writeFile(config, JSON.stringify({ ...settings, ...this.#options.settings }));
    this.#simulator = await this.#lab.start('simulator', [
      ...[...notingNode(node), bundleFile, 'simulate', '--config', config, '--faults', '--dir', this.#state],
      ...['--mdm-listen', `${host}:${MDM_PORT}`],
    ]);
    await this.#lab.rememberArray({ options: this.#options, simulator: this.#simulator });
    await until(`the gateway to listen (see ${this.#lab.directory}/simulator.log)`, async () => {
      return (await this.request('GET', '/api/login')).status < 500;
    });
  }

  /** The array of a lab that another process made; undefined when it has none. */
  static resume(lab: Lab): LabArray | undefined {
    const plan = lab.arrayPlan;
    if (plan === undefined) return undefined;
    const array = new LabArray(lab, plan.options);
    array.#simulator = plan.simulator ?? undefined;
    for (const host of lab.hosts) host.expectService({ name: 'sdc', argv: (on) => array.#agent(on) });
    return array;
  }

  get isOn(): boolean {
    return this.#simulator !== undefined && isRunning(this.#simulator);
  }

  /** kill -9 of gateway and MDM; hosts keep their devices. */
  async kill(): Promise<void> {
    if (this.#simulator !== undefined) await killHard(this.#simulator);
    this.#simulator = undefined;
    await this.#lab.rememberArray({ options: this.#options, simulator: null });
  }

  /** Installs drv_cfg on a host and runs its SDC, also after each reboot. */
  async addHost(host: Host): Promise<void> {
    await this.#installSdc(host, (on) => this.#agent(on));
    await until(`the SDC of ${host.name} to connect (see ${host.directory}/sdc.log)`, async () => {
      return (await host.exec([DRV_CFG, '--query_mdms'])).includes('MDM-ID');
    });
  }

  /** As addHost, but the SDC knows no MDM: somebody has to tell it. */
  async addHostWithoutMdm(host: Host): Promise<void> {
    await this.#installSdc(host, (on) => this.#agent(on, []));
    await until(`the SDC of ${host.name} to run (see ${host.directory}/sdc.log)`, async () => {
      return (await host.exec([DRV_CFG, '--query_mdms'])).includes('Retrieved 0 mdm(s)');
    });
  }

  async #installSdc(host: Host, argv: (on: Host) => string[]): Promise<void> {
    await host.addService({ name: 'sdc', argv });
    await host.exec(['mkdir', '-p', path.dirname(DRV_CFG)]);
    await host.exec(['cp', path.join(this.#programs, 'drv_cfg'), DRV_CFG]);
  }

  /** GUID of a host's SDC, the same after each reboot. */
  guidOf(host: Host): string {
    const digits = createHash('sha256').update(host.name).digest('hex').toUpperCase();
    return [8, 4, 4, 4, 12].map((length, index) => digits.slice(index * 12, index * 12 + length)).join('-');
  }

  /** Asks the gateway or its fault controls (/simulator/…) from outside of the lab's network. */
  async request(
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, method, path: url, headers: { ...json, ...headers } });
      call.on('error', reject);
      call.on('response', (response) => {
        text(response).then((read) => {
          resolve({ status: response.statusCode ?? 0, body: read });
        }, reject);
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Compiles the SDC's programs and opens the way in for request(). */
  async prepare(): Promise<void> {
    if (!existsSync(bundleFile)) throw new Error('the program is not built: run "npm run bundle"');
    await mkdir(this.#programs, { recursive: true });
    await Promise.all([
      buildDrvCfg(path.join(this.#programs, 'drv_cfg')),
      buildScini(path.join(this.#programs, 'scini')),
    ]);
    const forward = path.join(import.meta.dirname, 'forward.ts');
    await this.#lab.start('forward', [
      node,
      forward,
      this.#socket,
      addressOf('storage', 0),
      `${GATEWAY_PORT}`,
    ]);
    await until('the way into the lab', () => existsSync(this.#socket));
  }

  #agent(host: Host, mdms = ['--mdm', `http://${addressOf('storage', 0)}:${MDM_PORT}`]): string[] {
    return [
      ...[node, bundleFile, 'simulate-sdc', '--guid', this.guidOf(host), '--ip', host.address('storage')],
      ...[...mdms, '--fence-dir', `${this.#state}/fence`],
      ...['--scini', path.join(this.#programs, 'scini')],
      ...['--appear-delay-ms', `${this.#options.appearDelayMs ?? 100}`],
    ];
  }

  /** Certificate of the authority of secureEndpoint. */
  get caFile(): string {
    return path.join(this.#state, 'ca.pem');
  }

  get #state(): string {
    return path.join(this.#lab.directory, 'array', 'state');
  }

  get #programs(): string {
    return path.join(this.#lab.directory, 'array', 'programs');
  }

  get #socket(): string {
    return path.join(this.#lab.directory, 'gateway.sock');
  }
}

/** Gives a lab its simulated array, with an SDC on every host. The program must have been bundled. */
export async function startArray(lab: Lab, options: ArrayOptions = {}): Promise<LabArray> {
  const array = new LabArray(lab, options);
  await array.prepare();
  await array.start();
  await Promise.all(lab.hosts.map((host) => array.addHost(host)));
  return array;
}
