import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { buildSteward } from '../../../src/apps/steward.ts';
import type { HostId, VolumeId } from '../../../src/array/ids.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { parsePolicy } from '../../../src/steward/policy-file.ts';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { newVolume, PASSWORD, simulated, soon, twoSdcs, type Simulated } from '../gateway/simulated.ts';

/** Of the tokens file below. */
export const TOKENS = {
  admin: newSecret('token of the admin', '-of-the-api'),
  orders: newSecret('token of the orders', '-of-the-api'),
  viewer: newSecret('token of the viewer', '-of-the-api'),
};
export type Who = keyof typeof TOKENS;

const GRANTS = {
  version: 1,
  tokens: [
    { name: 'admin', token: TOKENS.admin, role: 'operator', volumes: '*', pools: '*' },
    { name: 'orders', token: TOKENS.orders, role: 'operator', volumes: 'orders*' },
    { name: 'viewer', token: TOKENS.viewer, role: 'viewer', volumes: '*' },
  ],
};

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** A steward that serves its API. */
export interface ServedApi {
  readonly url: string;
  /** What the API answers; the body is sent as JSON. */
  readonly ask: (
    who: Who | undefined,
    call: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }>;
  /** Replaces the tokens file. */
  readonly setTokens: (tokens: object | string, mode?: number) => Promise<void>;
  readonly app: Awaited<ReturnType<typeof buildSteward>>;
  readonly lines: readonly string[];
}

export interface ApiScene extends Simulated, ServedApi {
  readonly one: HostId;
  readonly two: HostId;
  /** Makes the volume docker-<name>, 16 GiB. */
  readonly create: (name: string) => Promise<VolumeId>;
}

interface ApiSettings {
  readonly policy?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly tokens?: object;
}

/** A simulated array with two hosts, and a steward in front of it that serves its API. */
export async function apiScene(settings: ApiSettings = {}): Promise<ApiScene> {
  const array = await simulated();
  const { simulator, gateway } = array;
  const api = await servedApi({ endpoints: simulator.urls.join(), password: PASSWORD }, settings);
  const { one, two } = await twoSdcs(simulator);
  const create = async (name: string): Promise<VolumeId> =>
    gateway.createVolume(await newVolume(gateway, `docker-${name}`), soon());
  return { ...array, ...api, one, two, create };
}

/** A steward in front of any array, as its user "admin". */
export async function servedApi(
  { endpoints, password }: { readonly endpoints: string; readonly password: string },
  { policy = {}, env = {}, tokens = GRANTS }: ApiSettings = {},
): Promise<ServedApi> {
  const dir = await mkdtemp(path.join(tmpdir(), 'steward-api-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = path.join(dir, 'tokens.yml');
  const setTokens: ServedApi['setTokens'] = async (content, mode = 0o600) => {
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    await chmod(file, mode);
  };
  await setTokens(tokens);
  const port = await freePort();
  const { settings } = loadSettings({
    env: {
      SCALEIO_ENDPOINT: endpoints,
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: password,
      SCALEIO_PAGE_ADDRESS: 'off',
      SCALEIO_API_TOKENS_FILE: file,
      SCALEIO_API_ADDRESS: `127.0.0.1:${port}`,
      SCALEIO_REMOVE_GRACE: '24h',
      ...env,
    },
    readFile: () => '',
  });
  const declared = JSON.stringify({ version: 1, act: true, pools: [{ pool: 'sp1' }], trash: {}, ...policy });
  const { promise: served, resolve } = Promise.withResolvers<string>();
  const lines: string[] = [];
  const note = (facts: object, message: string): void => {
    lines.push(`${JSON.stringify(facts)} ${message}`);
    if ('api' in facts) resolve(String(facts.api));
  };
  const app = await buildSteward(settings, parsePolicy(declared, 'steward.yml'), {
    log: { debug: () => undefined, info: note, warn: note, error: note },
    droppedLines: () => 0,
    version: '1.2.3',
  });
  await app.start();
  onTestFinished(() => app.close());
  const url = await served;
  const ask: ServedApi['ask'] = async (who, call, body, headers = {}) => {
    const [method = 'GET', address = ''] = call.split(' ');
    const response = await fetch(`${url}${address}`, {
      method,
      headers: {
        ...(who === undefined ? {} : { authorization: `Bearer ${TOKENS[who]}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : (JSON.parse(text) as unknown),
    };
  };
  return { app, url, ask, setTokens, lines };
}
