import { rm, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Host } from './host.ts';
import { DRIVER } from './scaleio-plugin.ts';

/** What the plugin answered: whatever the call has, and a text when it failed. */
export interface PluginAnswer {
  readonly Err?: string;
  readonly Mountpoint?: string;
}

/** Calls a host's managed plugin as its engine does, without the engine's own time around it. */
export class PluginSocket {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** To be opened anew after each reboot of the host. */
  static async open(host: Host): Promise<PluginSocket> {
    const id = await host.docker(['plugin', 'inspect', '--format', '{{.Id}}', DRIVER]);
    // The kernel takes 107 characters for a socket's path.
    const link = path.join(host.directory, 'plugin');
    await rm(link, { force: true });
    await symlink(host.pathFromOutside(`/run/docker/plugins/${id}`), link);
    return new PluginSocket(path.join(link, 'scaleio.sock'));
  }

  /** A call such as "Mount". Rejects when no answer came. */
  async call(operation: string, body: Readonly<Record<string, unknown>>): Promise<PluginAnswer> {
    const answer = await this.#send('POST', `/VolumeDriver.${operation}`, JSON.stringify(body));
    return JSON.parse(answer) as PluginAnswer;
  }

  /** A metric's value, `name` with its labels as /metrics writes them; undefined when it is not there. */
  async metric(name: string): Promise<number | undefined> {
    const lines = (await this.#send('GET', '/metrics')).split('\n');
    const line = lines.find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  async #send(method: string, url: string, body?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, method, path: url });
      call.on('error', reject);
      call.on('response', (response) => {
        text(response).then(resolve, reject);
      });
      call.end(body);
    });
  }
}
