import { request as httpRequest, type Agent } from 'node:http';

/** Seconds between the attempts of one call, and when to give up. [moby pkg/plugins client.go] */
const GIVE_UP_AFTER_SECONDS = 30;

export interface Attempt {
  readonly path: string;
  readonly bodyLength: number;
}

/** The failure of a call whose connection broke: what Go calls a net.Error. */
export class TransportError extends Error {}
/** A status other than 200, or an Err in the answer. */
export class PluginRefusal extends Error {}

/**
 * Calls a plugin as dockerd does: one buffer is the body of all attempts, so that a repeated call goes out empty; a
 * broken connection is tried again after 1, 2, 4, 8 s, an answer never. Time passes only in `clock`.
 */
export class MobyClient {
  readonly attempts: Attempt[] = [];
  clockSeconds = 0;
  readonly #socketPath: string;
  readonly #agent: Agent;

  constructor(socketPath: string, agent: Agent) {
    this.#socketPath = socketPath;
    this.#agent = agent;
  }

  async call(path: string, body: object): Promise<Record<string, unknown>> {
    let buffer = `${JSON.stringify(body)}\n`;
    const startSeconds = this.clockSeconds;
    for (let pause = 1; ; pause *= 2) {
      try {
        const { status, text } = await this.#attempt(path, buffer);
        return readAnswer(status, text);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (pause + this.clockSeconds - startSeconds >= GIVE_UP_AFTER_SECONDS) throw error;
      }
      buffer = '';
      this.clockSeconds += pause;
    }
  }

  /** What the engine makes of a Get: only `unreachable` keeps what it knows of the volume. [moby store.go] */
  async lookUp(name: string): Promise<'exists' | 'absent' | 'unreachable'> {
    try {
      const { Volume } = await this.call('/VolumeDriver.Get', { Name: name });
      return typeof Volume === 'object' && Volume !== null ? 'exists' : 'absent';
    } catch (error) {
      return error instanceof TransportError ? 'unreachable' : 'absent';
    }
  }

  #attempt(path: string, body: string): Promise<{ status: number; text: string }> {
    this.attempts.push({ path, bodyLength: body.length });
    return new Promise((resolve, reject) => {
      const sent = httpRequest({
        socketPath: this.#socketPath,
        agent: this.#agent,
        method: 'POST',
        path,
        headers: { Host: 'plugin.moby.localhost', 'Content-Length': String(body.length) },
      });
      sent.on('error', (cause) => {
        reject(new TransportError('the connection broke', { cause }));
      });
      sent.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
        // After the status line a broken body is a decoding error to Go, not a transport error.
        response.on('error', () => {
          reject(new PluginRefusal('unexpected EOF'));
        });
      });
      sent.end(body);
    });
  }
}

function readAnswer(status: number, text: string): Record<string, unknown> {
  const answer = JSON.parse(text) as Record<string, unknown> & { Err?: string };
  if (status === 200 && !answer.Err) return answer;
  throw new PluginRefusal(answer.Err ?? text);
}
