import path from 'node:path';
import { Pool } from 'undici';
import { DOOR_SOCKET, doorCall } from '../../src/operator/calls.ts';
import type { ActionName } from '../../src/volumes/operator-actions.ts';
import { contents } from '../../plugin/contents.ts';
import { PASSWORD, PREFIX, USER, type BenchArray, type BenchSdc } from './array.ts';
import { Program, type Memory } from './programs.ts';

/** How often somebody who waits for the plugin looks for its socket, ms. */
const KNOCK_MS = 2;

/** Listens on the path that it is given, and answers anything. */
const BARE_SERVER = `
const server = require('node:http').createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'x-request-id': 'bare' }).end('{}');
});
server.listen(process.argv[1]);
process.once('SIGTERM', () => { server.close(() => process.exit()); server.closeAllConnections(); });
`;

export interface PluginPlace {
  /** Separates its state and mounts from those of other plugins in the directory. */
  readonly name: string;
  /** Another gateway than the array's. */
  readonly gateway?: string;
  /** Another host's SDC than the first. */
  readonly sdc?: BenchSdc;
  /** More of its settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The plugin under test in a process of its own, asked over its socket as an engine asks. */
export class Plugin {
  /** From starting the process to the answer to its first request, ms. */
  readonly startMs: number;
  readonly mountRoot: string;
  readonly #program: Program;
  readonly #socket: Pool;
  readonly #door: Pool;

  private constructor(
    program: Program,
    socket: Pool,
    at: { startMs: number; mountRoot: string; door: Pool },
  ) {
    this.#program = program;
    this.#socket = socket;
    this.#door = at.door;
    this.startMs = at.startMs;
    this.mountRoot = at.mountRoot;
  }

  static async start(dir: string, array: BenchArray, place: PluginPlace): Promise<Plugin> {
    const socketPath = path.join(dir, `${place.name}.sock`);
    const ownDir = path.join(dir, place.name);
    const mountRoot = path.join(ownDir, 'mounts');
    const dirs = ['--mount-root', mountRoot, '--state-dir', path.join(ownDir, 'state')];
    const started = performance.now();
    const program = new Program(['serve', '--socket', socketPath, ...dirs], {
      logFile: path.join(dir, `${place.name}.log`),
      nodeFlags: contents.nodeFlags,
      env: {
        ...contents.environment,
        ...settings(place.gateway ?? array.gateway, place.sdc ?? array.sdc),
        ...place.settings,
        NODE_COMPILE_CACHE: path.join(dir, 'compile-cache'),
      },
    });
    const socket = new Pool('http://plugin', { connect: { socketPath }, connections: 512 });
    await program.until(() => firstAnswer(socket), KNOCK_MS);
    const startMs = performance.now() - started;
    const door = new Pool('http://plugin', {
      connect: { socketPath: path.join(ownDir, 'state', DOOR_SOCKET) },
    });
    return new Plugin(program, socket, { startMs, mountRoot, door });
  }

  /** From starting a bare server of the same Node to its first answer on such a socket, ms. */
  static async startBareServer(dir: string): Promise<number> {
    const socketPath = path.join(dir, 'bare.sock');
    const started = performance.now();
    const program = new Program([socketPath], {
      logFile: path.join(dir, 'bare.log'),
      nodeFlags: contents.nodeFlags,
      entry: ['-e', BARE_SERVER],
    });
    const socket = new Pool('http://bare', { connect: { socketPath } });
    await program.until(() => firstAnswer(socket), KNOCK_MS);
    const took = performance.now() - started;
    await socket.destroy();
    await program.stop();
    return took;
  }

  /** Asks one thing of the volume driver and gives the id of the call. Throws with the plugin's own words when it fails. */
  ask(call: string, body: object = {}): Promise<string> {
    return ask(this.#socket, `/VolumeDriver.${call}`, body);
  }

  /** Has an action done as the command `volume` does, through the operator's door, and gives the id of the call. */
  operate(action: ActionName, wanted: object): Promise<string> {
    return ask(this.#door, doorCall(action).path, wanted);
  }

  memory(): Promise<Memory> {
    return this.#program.memory();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#socket.destroy(), this.#door.destroy()]);
    await this.#program.stop();
  }
}

function settings(gateway: string, sdc: BenchSdc): Record<string, string> {
  return {
    SCALEIO_ENDPOINT: gateway,
    SCALEIO_USERNAME: USER,
    SCALEIO_PASSWORD: PASSWORD,
    SCALEIO_PREFIX: PREFIX,
    SCALEIO_GUID: sdc.guid,
    SCALEIO_BY_ID_DIR: sdc.byIdDir,
    SCALEIO_HOST_MOUNTINFO: '/proc/self/mountinfo',
    // Taking from each other is what is measured.
    SCALEIO_MOVE_LIMIT: '1000',
    // A Remove that takes the data, as by hand; a renaming would be cheaper, and fill the array.
    SCALEIO_REMOVE_GRACE: '0',
    // Its regular rounds belong to no operation.
    SCALEIO_RECONCILE_INTERVAL: '24h',
  };
}

async function firstAnswer(socket: Pool): Promise<true | undefined> {
  try {
    await ask(socket, '/Plugin.Activate', {});
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

async function ask(socket: Pool, asked: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const reply = await socket.request({ method: 'POST', path: asked, headers, body: JSON.stringify(body) });
  const text = await reply.body.text();
  if (reply.statusCode !== 200) throw new Error(`${asked}: ${text}`);
  const id = reply.headers['x-request-id'];
  if (typeof id !== 'string')
    throw new Error(`${asked}: the answer does not say under which id it was worked on`);
  return id;
}
