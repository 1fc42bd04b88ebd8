import { writeFile } from 'node:fs/promises';
import { inNetworkOf, output } from './namespace.ts';
import { isRunning, onlyChild, startDetached, type ProcessId } from './process.ts';

/** The two networks of every host: Docker's own traffic with the registry, and what ScaleIO uses. */
export type NetworkName = 'cluster' | 'storage';

/** RFC 2544's range for test networks: it can never be anybody's real address. */
const networks = {
  cluster: { bridge: 'cluster', prefix: '198.18.0' },
  storage: { bridge: 'storage', prefix: '198.19.0' },
} as const satisfies Record<NetworkName, { bridge: string; prefix: string }>;

const networkNames = Object.keys(networks) as NetworkName[];

/** CIDR ranges whose registries every engine of a lab trusts without TLS. */
export const labRanges = networkNames.map((name) => `${networks[name].prefix}.0/24`);

/** Address of the array and the registry (0) or of a host (1, 2, …) on one network. */
export function addressOf(network: NetworkName, host: number): string {
  return `${networks[network].prefix}.${host === 0 ? 1 : 10 + host}`;
}

/**
 * Two bridges in a network namespace of their own, where the registry and the array live too. The namespace is held
 * by one process: when that ends, bridges, links and addresses are gone.
 */
export class Fabric {
  readonly holder: ProcessId;
  readonly inside: ProcessId;

  private constructor(holder: ProcessId, inside: ProcessId) {
    this.holder = holder;
    this.inside = inside;
  }

  /** `onStart` hears of the process before anything else is done, so that it can be swept later. */
  static async start(logFile: string, onStart: (holder: ProcessId) => Promise<void>): Promise<Fabric> {
    const holder = await startDetached(
      ['unshare', '--net', '--fork', '--kill-child', 'sleep', 'infinity'],
      logFile,
    );
    await onStart(holder);
    const fabric = new Fabric(holder, await onlyChild(holder));
    await fabric.#ip('link', 'set', 'lo', 'up');
    for (const name of networkNames) {
      const { bridge } = networks[name];
      await fabric.#ip('link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0');
      await fabric.#ip('address', 'add', `${addressOf(name, 0)}/24`, 'dev', bridge);
      await fabric.#ip('link', 'set', bridge, 'up');
    }
    await fabric.#letBridgedTrafficPass();
    return fabric;
  }

  /** The network of a lab that another process made; throws when its holder has ended. */
  static async resume(holder: ProcessId): Promise<Fabric> {
    if (!isRunning(holder))
      throw new Error("the lab's network has ended (a reboot?): end the rest with make lab-down");
    return new Fabric(holder, await onlyChild(holder));
  }

  /** Plugs a host's network namespace into both bridges. */
  async plug(host: number, inside: ProcessId): Promise<void> {
    const hostIp = async (...args: string[]): Promise<void> => {
      await output(inNetworkOf(inside, ['ip', ...args]));
    };
    await hostIp('link', 'set', 'lo', 'up');
    for (const name of networkNames) {
      const port = `${name}${host}`;
      await this.#ip('link', 'add', port, 'type', 'veth', 'peer', 'name', name, 'netns', `${inside.pid}`);
      await this.#ip('link', 'set', port, 'master', networks[name].bridge, 'up');
      await hostIp('address', 'add', `${addressOf(name, host)}/24`, 'dev', name);
      await hostIp('link', 'set', name, 'up');
    }
    await hostIp('route', 'add', 'default', 'via', addressOf('cluster', 0));
  }

  /** Takes a host's cables away. The kernel does that too when its namespace ends, but in its own time. */
  async unplug(host: number): Promise<void> {
    for (const name of networkNames) {
      const port = `${name}${host}`;
      // It may go by itself at this moment, with the namespace of its other end.
      await this.#sh(`ip link delete ${port} 2>/dev/null || ! ip link show ${port} >/dev/null 2>&1`);
    }
  }

  /** Pulls or replugs a host's cable: nothing passes, nobody is told. */
  async setLink(host: number, network: NetworkName, up: boolean): Promise<void> {
    await this.#ip('link', 'set', `${network}${host}`, up ? 'up' : 'down');
  }

  /** Whether a host's cable is plugged in. */
  async isLinked(host: number, network: NetworkName): Promise<boolean> {
    const shown = await output(this.enter(['ip', '-oneline', 'link', 'show', `${network}${host}`]));
    return /<[^>]*\bUP\b/.test(shown);
  }

  /** Argument vector for a program that is to run where registry and array live. */
  enter(argv: readonly string[]): string[] {
    return inNetworkOf(this.inside, argv);
  }

  async #sh(script: string): Promise<void> {
    await output(this.enter(['sh', '-c', script]));
  }

  async #ip(...args: string[]): Promise<void> {
    await output(this.enter(['ip', ...args]));
  }

  /** Where bridge netfilter is loaded, Docker's FORWARD chain would drop what hosts say to one another. */
  async #letBridgedTrafficPass(): Promise<void> {
    const key = '/proc/sys/net/bridge/bridge-nf-call-iptables';
    await this.#sh(`[ ! -e ${key} ] || echo 0 >${key}`);
  }
}

/** A registry configuration that keeps images in a directory and listens on the cluster network only. */
export async function writeRegistryConfig(file: string, directory: string, address: string): Promise<void> {
  const config = {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: directory }, delete: { enabled: true } },
    http: { addr: address },
  };
  await writeFile(file, JSON.stringify(config));
}
