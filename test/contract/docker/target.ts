import { Agent, request as httpRequest } from 'node:http';

import { expect } from 'vitest';

import type { Gate } from './fake-driver.ts';

/** Mount IDs that the conformance suite uses: of Docker's form, and the one that Podman always sends. [podman] */
export const ID_OF_CONTAINER = 'c0ffee'.repeat(10) + 'abcd';
export const OTHER_IDS = ['a'.repeat(64), 'b'.repeat(64)];
export const ID_OF_PODMAN = '2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2';

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
  /** Uses a mountpoint as a container does, until the answered function is called; absent where nothing is mounted. */
  use?(mountpoint: string): Promise<() => Promise<void>>;
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

/** Removes every volume that the plugin lists, as a `reset` for targets that are reached only by the protocol. */
export async function removeAllVolumes({ request }: Pick<ConformanceTarget, 'request'>): Promise<void> {
  const call = async (operation: string, body: object) => {
    const outcome = await request({ path: `/VolumeDriver.${operation}`, body: JSON.stringify(body) });
    if (outcome.kind === 'dropped') throw new Error(`${operation} was not answered`);
    return outcome;
  };
  const { Volumes } = JSON.parse((await call('List', {})).text) as { Volumes: { Name: string }[] };
  await Promise.all(
    Volumes.map(async ({ Name }) => {
      for (const ID of [ID_OF_CONTAINER, ...OTHER_IDS, ID_OF_PODMAN, '']) await call('Unmount', { Name, ID });
      // A Mount whose client hung up may still be on its way.
      await expect.poll(async () => (await call('Remove', { Name })).text, { timeout: 20_000 }).toBe('{}');
    }),
  );
}
