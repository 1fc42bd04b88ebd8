import { Agent, request as httpRequest } from 'node:http';

import type { Gate } from './fake-driver.ts';

/** One HTTP request as a client would send it. */
export interface RawCall {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined: Content-Length 0. */
  readonly body?: string | Buffer | undefined;
}

/** What came back; `dropped`: the connection broke before any answer. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
      readonly text: string;
    }
  | { readonly kind: 'dropped' };

/** A volume plugin to be tested, wherever it runs. */
export interface ConformanceTarget {
  request(call: RawCall): Promise<Outcome>;
  /** Sends the call and hangs up when `moment` comes (undefined: as soon as it is sent), without an answer. */
  hangUp(call: RawCall, moment?: Promise<undefined>): Promise<void>;
  /** Holds Mounts back; absent where nothing can. */
  holdMounts?(): Gate;
  /** Removes all volumes. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** The client side of a target that listens on a unix socket. */
export function socketClient(
  socketPath: string,
  maxSockets = 32,
): Pick<ConformanceTarget, 'request' | 'hangUp'> & { end(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const open = ({ path, method = 'POST', headers = {}, body }: RawCall) => {
    const length = { 'Content-Length': String(Buffer.byteLength(body ?? '')) };
    const sent = httpRequest({ socketPath, path, method, agent, headers: { ...length, ...headers } });
    return { sent, send: () => sent.end(body) };
  };
  return {
    request: (call) =>
      new Promise((resolve) => {
        const { sent, send } = open(call);
        sent.on('error', () => {
          resolve({ kind: 'dropped' });
        });
        sent.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, text });
          });
        });
        send();
      }),
    hangUp: (call, moment) =>
      new Promise((resolve, reject) => {
        const { sent, send } = open(call);
        sent.on('error', () => undefined);
        sent.on('close', () => {
          resolve();
        });
        sent.on('finish', () => {
          (moment ?? Promise.resolve()).then(() => sent.destroy(), reject);
        });
        send();
      }),
    end: () => {
      agent.destroy();
    },
  };
}
