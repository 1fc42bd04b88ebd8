import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { Lifecycle } from '../../../src/apps/lifecycle.ts';
import { stewardDoor } from '../../../src/apps/steward-door.ts';
import { loadSettings, type LoadedSettings } from '../../../src/config/load-settings.ts';
import { systemClock } from '../../../src/host/clock.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { REALM, realmHeader, type Realm } from '../../../src/operator/realm.ts';
import type { PluginError } from '../../../src/errors.ts';
import { actionsFrom, type OperatorActions } from '../../../src/volumes/operator-actions.ts';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

export const fixture = (name: string): string =>
  path.join(import.meta.dirname, '../../fixtures/gateway/tls', name);

/** That hosts let the steward in with. */
export const DOOR_TOKEN = newSecret('token of a door', '-of-the-steward-s-door');

/** That doors here work on, and their callers say, unless a test says otherwise. */
export const SOME_REALM: Realm = { systemId: '72ce476b00000000', prefix: 'docker-' };

/** A directory with a certificate for 127.0.0.1, its key and a file of tokens. */
export async function doorFiles(cert = 'good') {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-steward-door-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const at = (name: string): string => path.join(directory, name);
  await copyFile(fixture(`${cert}.pem`), at('door.pem'));
  await copyFile(fixture(`${cert}.key`), at('door.key'));
  const setTokens = async (tokens: string, mode = 0o600): Promise<void> => {
    await writeFile(at('tokens'), tokens);
    await chmod(at('tokens'), mode);
  };
  await setTokens(`# of the steward\n${DOOR_TOKEN}\n`);
  const port = await freePort();
  const env = {
    SCALEIO_DOOR_ADDRESS: `127.0.0.1:${port}`,
    SCALEIO_DOOR_CERT_FILE: at('door.pem'),
    SCALEIO_DOOR_KEY_FILE: at('door.key'),
    SCALEIO_DOOR_TOKENS_FILE: at('tokens'),
  };
  return { directory, env, port, setTokens, address: `127.0.0.1:${port}` };
}

/** What a policy says of hosts; the array knows them as said. */
export function hostsPolicy(directory: string, doors: readonly { host: string; address: string }[]) {
  return {
    hosts: { caFile: fixture('ca.pem'), tokenFile: path.join(directory, 'tokens'), doors },
  };
}

/** A host's door over actions that note what they are asked. */
export async function doorScene(
  answers: Partial<OperatorActions> = {},
  cert = 'good',
  clock: Pick<Clock, 'elapsed' | 'sleep'> = systemClock,
) {
  const files = await doorFiles(cert);
  const asked: unknown[] = [];
  const lines: string[] = [];
  const { promise: served, resolve } = Promise.withResolvers<undefined>();
  const note = (facts: object, message: string): void => {
    lines.push(`${JSON.stringify(facts)} ${message}`);
    if ('door' in facts) resolve(undefined);
  };
  const { settings }: LoadedSettings = loadSettings({
    env: {
      SCALEIO_ENDPOINT: 'http://127.0.0.1:9',
      SCALEIO_USERNAME: 'docker',
      SCALEIO_PASSWORD: 'of nobody',
      ...files.env,
    },
    readFile: () => '',
  });
  const own: { realm: Realm | PluginError } = { realm: SOME_REALM };
  let calls = 0;
  const noting = actionsFrom((action, wanted, signal) => {
    asked.push([action, wanted]);
    const answer = answers[action] as OperatorActions[typeof action] | undefined;
    if (answer === undefined) return Promise.reject(new Error(`unexpected: ${action}`));
    return answer(wanted, signal);
  });
  const parts = {
    actions: noting,
    log: { debug: note, info: note, warn: note, error: note },
    newRequestId: () => `request-${(calls += 1)}`,
    inRequest: (_: string, rest: () => void) => {
      rest();
    },
    realm: () => (own.realm instanceof Error ? Promise.reject(own.realm) : Promise.resolve(own.realm)),
    limitMs: 60_000,
    clock,
  };
  const lifecycle = new Lifecycle(stewardDoor(settings, parts, 0), { clock: systemClock, log: parts.log });
  await lifecycle.start();
  onTestFinished(() => lifecycle.stop());
  await served;
  return { ...files, asked, lines, own, ask: asking(files.port), stop: () => lifecycle.stop() };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Sends a POST to a door, as a steward does unless told otherwise. */
export function asking(port: number) {
  return async (
    call: string,
    body: object | string,
    { token = DOOR_TOKEN, ...more }: RequestOptions & { readonly token?: string | null } = {},
  ): Promise<Answer> => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: call,
      method: 'POST',
      agent: false,
      ca: await readFile(fixture('ca.pem')),
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        [REALM]: realmHeader(SOME_REALM),
      },
      ...more,
    });
    sent.end(typeof body === 'string' ? body : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  };
}

/** Something that takes connections, says nothing, and notes what it hears. */
export async function mute(): Promise<{ readonly address: string; readonly connections: () => number }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return { address: `127.0.0.1:${address.port}`, connections: () => sockets.length };
}
