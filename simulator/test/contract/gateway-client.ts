import { onTestFinished } from 'vitest';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export type Json = Record<string, unknown>;

/** The one user of the simulated arrays here, with all rights. */
export const admin = { name: 'admin', password: newSecret('password') };

/** A plain client of one gateway: it knows how to log in and nothing else. */
export class GatewayClient {
  readonly url: string;
  authorization = '';

  constructor(url: string) {
    this.url = url;
  }

  async send(method: string, path: string, init: { body?: unknown; headers?: Json } = {}): Promise<Reply> {
    const headers: Record<string, string> = {
      authorization: this.authorization,
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(init.headers as Record<string, string>),
    };
    const body = init.body === undefined ? null : JSON.stringify(init.body);
    const response = await fetch(this.url + path, { method, headers, body });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
    };
  }

  async login(user = admin.name, password = admin.password): Promise<string> {
    const reply = await this.send('GET', '/api/login', { headers: { authorization: basic(user, password) } });
    const token = reply.body as string;
    this.authorization = basic('', token);
    return token;
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path);
  }

  post(path: string, body: unknown = {}): Promise<Reply> {
    return this.send('POST', path, { body });
  }

  act(type: string, id: string, action: string, body: unknown = {}): Promise<Reply> {
    return this.post(`/api/instances/${type}::${id}/action/${action}`, body);
  }

  /** One object; throws when the gateway refuses. */
  async object(type: string, id: string): Promise<Json> {
    return expectOk(await this.get(`/api/instances/${type}::${id}`)) as Json;
  }

  async list(type: string): Promise<Json[]> {
    return expectOk(await this.get(`/api/types/${type}/instances`)) as Json[];
  }

  /** A thin volume in the first pool. */
  async createVolume(fields: Json = {}): Promise<string> {
    const [pool] = await this.list('StoragePool');
    const body = {
      volumeSizeInKb: '8388608',
      storagePoolId: pool?.['id'],
      volumeType: 'ThinProvisioned',
      ...fields,
    };
    return idOf(await this.post('/api/types/Volume/instances', body));
  }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function expectOk(reply: Reply): unknown {
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  return reply.body;
}

function idOf(reply: Reply): string {
  return (expectOk(reply) as { id: string }).id;
}

/** What the gateway answers for a refusal by the MDM. */
export function refused(errorCode: number, message?: string): object {
  return { status: 500, body: { message: message ?? anyText, httpStatusCode: 500, errorCode } };
}

const anyText = { asymmetricMatch: (value: unknown) => typeof value === 'string' && value !== '' };

/** A simulator that ends with the test, and a client that has logged in. */
export async function simulate(
  options: SimulatorOptions = {},
): Promise<{ sim: Simulator; client: GatewayClient }> {
  const sim = await startSimulator({ users: [admin], ...options });
  onTestFinished(() => sim.close());
  const client = new GatewayClient(sim.urls[0] ?? '');
  await client.login();
  return { sim, client };
}

export const guidA = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
export const guidB = '7E012974-3651-4DCB-9954-25975A3C3CDF';
export const versions = ['2.6', '3.6', '4.5'] as const;
