import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { SdcAgentError } from './sdc-agent-error.ts';

/** What drv_cfg prints: on stdout when `ok`, else on stderr, and then it fails. */
export interface ControlAnswer {
  readonly ok: boolean;
  readonly text: string;
}

export type ControlHandler = (words: readonly string[]) => Promise<ControlAnswer>;

/** Longer requests are cut off. */
const LONGEST_REQUEST = 65_536;
const LONGEST_ANSWER_MS = 30_000;

/** The socket through which drv_cfg asks the agent: one line of words in, `ok` or `error` and the text out. */
export class ControlSocket {
  readonly path: string;
  readonly #server: Server;

  private constructor(path: string, handler: ControlHandler) {
    this.path = path;
    this.#server = createServer((socket) => {
      serve(socket, handler);
    });
  }

  /** Takes the place of a socket that nobody answers on. Throws SdcAgentError when another agent does. */
  static async open(path: string, handler: ControlHandler): Promise<ControlSocket> {
    if (await isAnswered(path)) {
      throw new SdcAgentError(`Another SDC agent answers on "${path}"; stop it first`);
    }
    await rm(path, { force: true });
    const socket = new ControlSocket(path, handler);
    socket.#server.listen(path);
    await once(socket.#server, 'listening');
    return socket;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const probe = connect(path);
  const answered = await new Promise<boolean>((resolve) => {
    probe.once('connect', () => {
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
  probe.destroy();
  return answered;
}

function serve(socket: Socket, handler: ControlHandler): void {
  let request = '';
  socket.setEncoding('utf8').setTimeout(LONGEST_ANSWER_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const take = (chunk: string): void => {
    request += chunk;
    const end = request.indexOf('\n');
    if (end < 0 && request.length > LONGEST_REQUEST) socket.destroy();
    if (end < 0) return;
    socket.off('data', take);
    void answer(socket, handler, request.slice(0, end));
  };
  socket.on('data', take);
}

async function answer(socket: Socket, handler: ControlHandler, line: string): Promise<void> {
  const words = line.split(' ').filter((word) => word !== '');
  const { ok, text } = await handler(words).catch((error: unknown) => ({
    ok: false,
    text: `${String(error)}\n`,
  }));
  socket.end(`${ok ? 'ok' : 'error'}\n${text}`);
}
