import { createServer } from 'node:http';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import type { ApiActions, ApiParts } from '../../../../src/steward/api/parts.ts';
import { createApiServer } from '../../../../src/steward/api/server.ts';
import { EventStreams } from '../../../../src/steward/api/events.ts';
import { Tokens } from '../../../../src/steward/api/tokens.ts';
import { AuditTrail } from '../../../../src/steward/audit.ts';
import { newSecret } from '../../../../lab/secrets/used.ts';
import { FakeClock, silent, snapshot } from '../page/scene.ts';

export const SECRETS = {
  admin: newSecret('token', '-of-the-admin'),
  orders: newSecret('token', '-of-the-orders'),
  viewer: newSecret('token', '-of-the-viewer'),
};
export type Who = keyof typeof SECRETS;

const TOKENS = {
  version: 1,
  tokens: [
    { name: 'admin', token: SECRETS.admin, role: 'operator', volumes: '*', pools: '*' },
    {
      name: 'orders',
      token: SECRETS.orders,
      role: 'operator',
      volumes: ['orders', 'orders-*'],
      perMinute: 40,
    },
    { name: 'viewer', token: SECRETS.viewer, role: 'viewer', volumes: '*' },
  ],
};

export const GREW = { beforeKiB: 8, sizeKiB: 16, holder: null, filesystem: 'mount', why: null } as const;

/** The API over actions that note what they are asked; whatever a test does not expect is refused. */
export function apiOf(more: Partial<ApiParts> = {}, actions: Partial<ApiActions> = {}) {
  const clock = new FakeClock();
  const asked: unknown[] = [];
  const lines: string[] = [];
  const note = (facts: object, message: string): void =>
    void lines.push(`${JSON.stringify(facts)} ${message}`);
  const audit = new AuditTrail({ clock, log: silent });
  const unexpected = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));
  let requests = 0;
  const server = createApiServer(
    {
      tokens: () => Promise.resolve(new Tokens(JSON.stringify(TOKENS), { file: 'tokens.yml', mode: 0o600 })),
      array: {
        listVolumes: () => Promise.resolve([]),
        findVolumeId: () => Promise.resolve(undefined),
        getVolume: () => Promise.resolve(undefined),
      },
      activity: { ioOf: () => Promise.resolve(new Map()) },
      inventory: { readHosts: () => Promise.resolve([]) },
      actions: {
        grow: (wanted) => {
          asked.push(wanted);
          return Promise.resolve(GREW);
        },
        limit: unexpected('limit'),
        remove: unexpected('remove'),
        undelete: unexpected('undelete'),
        takeSnapshots: unexpected('takeSnapshots'),
        listSnapshots: unexpected('listSnapshots'),
        removeSnapshot: unexpected('removeSnapshot'),
        create: unexpected('create'),
        rename: unexpected('rename'),
        restore: unexpected('restore'),
        listClasses: () => Promise.resolve([{ name: 'gold', options: { iops: '5000' } }]),
        ...actions,
      },
      hosts: { askHolder: unexpected('askHolder') },
      steward: { snapshot: () => snapshot(), addDisk: unexpected('addDisk') },
      poolIo: () => new Map(),
      audit,
      events: new EventStreams({ elapsed: () => clock.elapsed(), run: 'run' }),
      prefix: 'docker-',
      version: '1.2.3',
      clock,
      log: { ...silent, warn: note, error: note },
      newRequestId: () => `request-${(requests += 1)}`,
      inRequest: (_id, rest) => {
        rest();
      },
      ...more,
    },
    (handler) => createServer(handler),
  );
  onTestFinished(() => server.close());
  const ask = async (
    who: Who | undefined,
    call: string,
    payload?: InjectOptions['payload'],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LightMyRequestResponse> => {
    const [method = 'GET', url = ''] = call.split(' ');
    return server.inject({
      method: method as 'GET',
      url: `/api/v1${url}`,
      headers: { ...(who === undefined ? {} : { authorization: `Bearer ${SECRETS[who]}` }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
  };
  return { server, ask, asked, audit, clock, lines };
}
