import type { Host } from '../hosts/host.ts';
import { BUSYBOX } from '../hosts/image.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { until } from '../hosts/until.ts';

/** `docker volume create` of our driver. */
export async function createVolume(
  host: Host,
  name: string,
  options: Readonly<Record<string, string>> = { size: '8GiB' },
): Promise<void> {
  const given = Object.entries(options).flatMap(([key, value]) => ['--opt', `${key}=${value}`]);
  await host.docker(['volume', 'create', '--driver', DRIVER, ...given, name]);
}

/** Runs shell commands in a container that has the volume at /data, removes it, and returns what they printed. */
export async function onVolume(host: Host, volume: string, script: string): Promise<string> {
  return host.docker(['run', '--rm', '--volume', `${volume}:/data`, BUSYBOX, 'sh', '-c', script]);
}

/** A container that appends a line to a file of its volume ten times a second. */
export class Writer {
  readonly #host: Host;
  readonly name: string;

  private constructor(host: Host, name: string) {
    this.#host = host;
    this.name = name;
  }

  static async start(host: Host, volume: string, more: readonly string[] = []): Promise<Writer> {
    const name = `writer-of-${volume}`;
    const script = 'while :; do echo line >>/data/log || exit 1; usleep 100000; done';
    const mount = ['--volume', `${volume}:/data`];
    const detached = ['run', '--detach', '--stop-timeout', '1'];
    await host.docker([...detached, '--name', name, ...more, ...mount, BUSYBOX, 'sh', '-c', script]);
    const writer = new Writer(host, name);
    await writer.goesOn();
    return writer;
  }

  /** Lines written so far, as the container sees them. */
  async lines(): Promise<number> {
    return Number(await this.#host.docker(['exec', this.name, 'sh', '-c', 'wc -l </data/log']));
  }

  /** Returns when more has been written than at the time of the call. */
  async goesOn(): Promise<void> {
    const before = await this.lines().catch(() => 0);
    await until(`container ${this.name} to write`, async () => (await this.lines()) > before);
  }

  /** Ends the container and removes it; the engine sends the Unmount. */
  async remove(): Promise<void> {
    await this.#host.docker(['stop', '--time', '0', this.name]);
    await this.#host.docker(['rm', this.name]);
  }
}
