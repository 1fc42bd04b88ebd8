import { DocsPage } from '../e2e/docs-page.ts';
import { newSecret } from '../../lab/secrets/used.ts';
import { startMachine, type Machine, type MachineOptions } from './machine.ts';

const here = '/root/install';
const gateway = 'https://127.0.0.1:8443';
const driver = '/run/docker/plugins/scaleio.sock';
export const guid = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';

const service = (about: string, command: string, more = ''): string => `[Unit]
Description=${about}
Before=scini.service
[Service]
ExecStart=/usr/local/bin/node /opt/simulator/docker-volume-scaleio.cjs ${command}
Environment=NODE_COMPILE_CACHE=/var/cache/simulator
Restart=no
${more}[Install]
WantedBy=multi-user.target
`;

const array = service(
  'Simulated array',
  'simulate --config /etc/array.json --dir /var/lib/array --mdm-listen 127.0.0.1:6611 --faults',
);

const sdc = service(
  "This host's simulated SDC",
  `simulate-sdc --guid ${guid} --ip 127.0.0.1 --mdm http://127.0.0.1:6611 --fence-dir /var/lib/array/fence --scini /opt/simulator/scini --appear-delay-ms 0`,
  'ExecStartPre=/sbin/modprobe --all loop fuse\n',
).replace('Before=scini.service', 'After=array.service');

interface ScaleioHostOptions extends MachineOptions {
  /** Called before array and plugin come. */
  readonly prepare?: (machine: Machine) => Promise<unknown>;
}

/** What the plugin answered. */
export interface PluginAnswer {
  readonly Err?: string;
  readonly Mountpoint?: string;
}

/**
 * A machine with a simulated array, an SDC whose service is called as a real one's, and the plugin, installed word for word as
 * docs/configuration.md says.
 */
export class ScaleioHost {
  readonly machine: Machine;
  /** Of the array's user "admin". */
  readonly password = newSecret('password');

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Nothing stays when this rejects. */
  static async start({ prepare, ...options }: ScaleioHostOptions = {}): Promise<ScaleioHost> {
    const machine = await startMachine(options);
    try {
      const host = new ScaleioHost(machine);
      await prepare?.(machine);
      await host.#installArray();
      await host.#installPlugin();
      // Installed long ago, for what a power cut leaves.
      await machine.exec(['sync']);
      return host;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  async #installArray(): Promise<void> {
    const settings = {
      users: [{ name: 'admin', password: this.password }],
      gateways: [
        { host: '127.0.0.1', port: 8443, tls: true },
        { host: '127.0.0.1', port: 8080 },
      ],
      durability: 'machine',
    };
    const { machine } = this;
    await machine.write('/etc/array.json', JSON.stringify(settings));
    await machine.write('/etc/systemd/system/array.service', array);
    await machine.write('/etc/systemd/system/scini.service', sdc);
    await machine.shell(`
      install -D -t /opt/simulator /run/payload/dist/docker-volume-scaleio.cjs /run/payload/sdc/scini
      install -D -t /opt/emc/scaleio/sdc/bin /run/payload/sdc/drv_cfg
      mkdir -p /var/lib/array
      cp -r /run/payload/array/. /var/lib/array
      chmod 644 /etc/systemd/system/array.service /etc/systemd/system/scini.service
      systemctl daemon-reload
      systemctl enable --now array.service scini.service 2>&1`);
    await machine.until(
      'the gateway to listen',
      async () => (await machine.request('127.0.0.1:8080', 'GET', '/api/login')).code === 401,
    );
  }

  async #installPlugin(): Promise<void> {
    const page = await DocsPage.read('docs/configuration.md', {
      'https://gateway.example.com': gateway,
      'SCALEIO_USERNAME=docker': 'SCALEIO_USERNAME=admin',
      'the password': this.password,
    });
    const { machine } = this;
    await machine.shell(`
      mkdir -p ${here}/node_modules/node/bin
      ln -s /run/payload/dist /run/payload/plugin ${here}
      ln -s /usr/local/bin/node ${here}/node_modules/node/bin/node
      cp /var/lib/array/ca.pem ${here}/gateway-ca.pem`);
    // From a file, because the commands hold the password.
    await machine.write(`${here}/commands`, page.find('install -D -m 755 node_modules'));
    await machine.shell(`cd ${here}; . ./commands 2>&1; rm commands`);
    await this.joined();
  }

  /** Resolves when the plugin can serve volumes. */
  async joined(): Promise<void> {
    await this.machine.until(
      'the host to have joined',
      async () => (await this.machine.request(driver, 'GET', '/readyz')).code === 200,
    );
  }

  /** Calls the plugin as an engine does; rejects with its refusal. */
  async call(operation: string, body: Readonly<Record<string, unknown>>): Promise<PluginAnswer> {
    const answer = await this.ask(operation, body);
    if (answer.Err !== undefined && answer.Err !== '') throw new Error(answer.Err);
    return answer;
  }

  /** As call, with a refusal as an answer. */
  async ask(operation: string, body: Readonly<Record<string, unknown>>): Promise<PluginAnswer> {
    const { code, stdout, stderr } = await this.machine.request(
      driver,
      'POST',
      `/VolumeDriver.${operation}`,
      { body },
    );
    if (code < 200) throw new Error(`no answer to ${operation}: ${stderr}`);
    return JSON.parse(stdout) as PluginAnswer;
  }

  async create(name: string, options: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.call('Create', { Name: name, Opts: { size: '8GiB', ...options } });
  }

  /** Returns the mountpoint. */
  async mount(name: string, id = name): Promise<string> {
    const { Mountpoint = '' } = await this.call('Mount', { Name: name, ID: id });
    return Mountpoint;
  }

  async unmount(name: string, id = name): Promise<void> {
    await this.call('Unmount', { Name: name, ID: id });
  }

  /** Runs the program as an operator does. */
  async operator(...args: readonly string[]): Promise<string> {
    return this.machine.exec(['docker-volume-scaleio', ...args]);
  }

  /** Properties of a unit, as systemctl show has them. */
  async unit(name: string, ...properties: readonly string[]): Promise<Record<string, string>> {
    const said = await this.machine.exec(['systemctl', 'show', `--property=${properties.join(',')}`, name]);
    return Object.fromEntries(
      said.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  /** Size of the file system that is mounted there. */
  async gib(mountpoint: string): Promise<number> {
    const blocks = await this.machine.exec(['stat', '--file-system', '--format', '%b', mountpoint]);
    return Number(blocks) / 262_144;
  }

  async close(): Promise<void> {
    await this.machine.close();
  }
}
