import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { createGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts';
import type { Log } from '../../../src/runtime/log.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

export interface Seen {
  readonly route: string;
  readonly authorization: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request; what it returns is ignored. */
export type Answer = (response: ServerResponse, seen: Seen) => unknown;

export function json(status: number, value: unknown): Answer {
  return (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json;charset=UTF-8' })
      .end(JSON.stringify(value));
}

export function html(status: number): Answer {
  const page = '<html><body><h1>nginx</h1></body></html>';
  return (response) => response.writeHead(status, { 'content-type': 'text/html' }).end(page);
}

export function refusal(errorCode: number, message: string, status = 500): Answer {
  return json(status, { message, httpStatusCode: status, errorCode });
}

/** Takes the request and hangs up without a word: the classic lost reply. */
export const cut: Answer = (response) => response.socket?.destroy();

/** Takes the request and never answers. */
export const silence: Answer = () => undefined;

export const UNAUTHORIZED = refusal(0, 'Unauthorized', 401);
export const SYSTEM_ID = '14dbbf5617523654';
export const PASSWORD = newSecret('password', '&ä');

const TOKEN = newSecret('session token');

/** Answer to the log-in of this number, from 1. */
export const token = (number: number): string => `${TOKEN}-${number}`;

export interface FakeGateway {
  readonly endpoint: string;
  /** "METHOD /path" of each request but log-in, version and system. */
  readonly calls: string[];
  readonly seen: Seen[];
  /** How often each route was asked. */
  count(route: string): number;
  /** What the route answers from now on; a list is used up one by one and must not run out. */
  on(route: string, answer: Answer | Answer[]): void;
  stop(): Promise<void>;
}

export interface FakeOptions {
  readonly version?: string;
  readonly system?: unknown;
  readonly port?: number;
  readonly tls?: TlsOptions;
}

const OPENING = [
  'GET /api/login',
  'GET /api/version',
  'GET /api/types/System/instances',
  'GET /api/logout',
  'POST /rest/auth/logout',
];

/** A scripted gateway on loopback. A request that no test expects fails the test. */
export async function fakeGateway(
  routes: Record<string, Answer | Answer[]> = {},
  options: FakeOptions = {},
): Promise<FakeGateway> {
  const seen: Seen[] = [];
  const unexpected: string[] = [];
  let logins = 0;
  const answers = new Map<string, Answer | Answer[]>(
    Object.entries({
      'GET /api/login': (response: ServerResponse, request: Seen) => {
        logins += 1;
        return json(200, token(logins))(response, request);
      },
      'GET /api/version': json(200, options.version ?? '3.6'),
      'GET /api/types/System/instances': json(200, [options.system ?? { id: SYSTEM_ID, name: 'array1' }]),
      'GET /api/logout': json(200, {}),
      'POST /rest/auth/logout': (response: ServerResponse) => response.writeHead(204).end(),
      ...routes,
    }),
  );
  const next = (route: string): Answer | undefined => {
    const answer = answers.get(route);
    return Array.isArray(answer) ? answer.shift() : answer;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method ?? ''} ${request.url ?? ''}`;
    const entry = {
      route,
      authorization: request.headers.authorization ?? '',
      headers: request.headers,
      body: await text(request),
    };
    seen.push(entry);
    const answer = next(route);
    if (answer === undefined) unexpected.push(route);
    await (answer ?? refusal(0, 'unexpected request', 400))(response, entry);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      unexpected.push(String(error));
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await listen(server, options.port ?? 0);
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(async () => {
    await stop();
    expect(unexpected).toEqual([]);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    get calls() {
      return seen.map(({ route }) => route).filter((route) => !OPENING.includes(route));
    },
    count: (route) => seen.filter((entry) => entry.route === route).length,
    on: (route, answer) => answers.set(route, answer),
    stop,
  };
}

function listen(server: Pick<Server, 'listen' | 'once'>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** Remembers all that is logged. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (facts: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(facts)}`);
  };
  return { lines, debug: note, info: note, warn: note, error: note };
}

/** A client of these gateways that waits little between tries. */
export function clientOf(
  gateways: FakeGateway | readonly Pick<FakeGateway, 'endpoint'>[],
  options: Partial<GatewayOptions> = {},
): Gateway {
  const endpoints = ('endpoint' in gateways ? [gateways] : gateways).map(({ endpoint }) => endpoint);
  const gateway = createGateway({
    endpoints,
    username: 'admin',
    password: PASSWORD,
    insecure: false,
    requestTimeoutMs: 900,
    clock: { elapsed: () => performance.now() },
    log: recordingLog(),
    ...options,
    retry: { minDelayMs: 1, maxDelayMs: 20, ...options.retry },
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** A signal that no test should live to see fire. */
export function soon(ms = 8000): AbortSignal {
  return AbortSignal.timeout(ms);
}

/** What a promise rejects with; fails the test when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof Error) return outcome.error;
  throw new Error(`expected a rejection, got ${JSON.stringify(outcome)}`);
}
