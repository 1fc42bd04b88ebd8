import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import * as z from 'zod';
import { makeRoom } from '../../host/connections.ts';
import type { Access } from './access.ts';
import { pageFile } from './page-files.ts';
import type { PoolDetail } from './detail-data.ts';
import type { OverviewQuery } from './overview.ts';
import type { Overview } from './page-data.ts';
import { runbookPage } from './runbook.ts';
import type { Viewers } from './viewers.ts';
import type { Opened } from './volume-details.ts';
import { VOLUME_ORDERS } from './volume-order.ts';

export interface PageServerParts {
  readonly access: Access;
  readonly viewers: Viewers;
  readonly overview: (query: OverviewQuery) => Overview;
  readonly openPool: (id: string) => PoolDetail | undefined;
  readonly openVolume: (id: string) => Promise<Opened>;
  /** Somebody begins to look. */
  readonly onViewer: () => void;
}

/** Nothing on the page comes from elsewhere, stands in it, or goes anywhere. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

const READS = ['GET', 'HEAD'];
const MOST_CONNECTIONS = 256;
/** For a whole request; an answer may take longer, as events do. */
const SLOW_REQUEST_MS = 10_000;
const CHECK_MS = 1000;
const MOST_SHOWN = 1000;

const querySchema = z.object({
  search: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(MOST_SHOWN).default(200),
  order: z.enum(VOLUME_ORDERS).default('name'),
});

/**
 * GET / (the page), its files, /runbook, /api/overview, /api/volumes/ID and /api/pools/ID (JSON) and /api/events (server-sent events), for those that Access lets in. Nothing
 * can be changed through it. Does not listen yet.
 */
export function createPageServer(parts: PageServerParts): FastifyInstance {
  const server = Fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: SLOW_REQUEST_MS,
    http: { headersTimeout: SLOW_REQUEST_MS, connectionsCheckingInterval: CHECK_MS },
    exposeHeadRoutes: false,
    frameworkErrors: (_error, _request, reply) => {
      void refuse(reply.headers(HEADERS), 400, 'this address cannot be read');
    },
  });
  makeRoom(server.server, MOST_CONNECTIONS);
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS);
    if (!READS.includes(request.method))
      return refuse(reply.header('allow', READS.join(', ')), 405, 'read-only');
    return admit(parts.access, request, reply);
  });
  addFiles(server);
  addApi(server, parts);
  addDetails(server, parts);
  server.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'there is nothing here'));
  return server;
}

/** Answers in place of the route where the request is not let in, or has to come again without the token in its address. */
async function admit(access: Access, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  // Not as a URL: "//" and "//host" are paths here, and whatever else a client sends must not throw.
  const [pathname = '', query = ''] = request.url.split('?', 2);
  const offered = new URLSearchParams(query).get('token');
  if (pathname === '/' && offered !== null && access.isToken(offered))
    return reply.header('set-cookie', access.cookie()).redirect('/', 303);
  const { host, authorization, cookie } = request.headers;
  const { 'sec-fetch-site': fetchSite, 'sec-fetch-mode': fetchMode } = request.headers;
  const verdict = access.judge({
    host,
    authorization,
    cookie,
    fetchSite: textOf(fetchSite),
    fetchMode: textOf(fetchMode),
  });
  if (verdict === 'welcome') return undefined;
  if (verdict === 'foreign')
    return refuse(
      reply,
      403,
      'open it as http://127.0.0.1 or http://localhost; pages of other sites may not read it',
    );
  // What the page that asks for the token looks like is no secret.
  if (pathname === '/sign-in.css') return undefined;
  void reply.header('www-authenticate', 'Bearer');
  const form = pathname === '/' ? await pageFile('sign-in.html') : undefined;
  if (form === undefined)
    return refuse(reply, 401, 'send the token of SCALEIO_PAGE_TOKEN_FILE as "Authorization: Bearer ..."');
  return reply.code(401).type(form.type).send(form.text);
}

function addFiles(server: FastifyInstance): void {
  const send = async (name: string, reply: FastifyReply): Promise<unknown> => {
    const file = await pageFile(name);
    if (file === undefined) return refuse(reply, 404, 'there is nothing here');
    return reply.type(file.type).send(file.text);
  };
  server.route({ method: READS, url: '/', handler: (_request, reply) => send('index.html', reply) });
  const runbook = runbookPage();
  server.route({
    method: READS,
    url: '/runbook',
    handler: (_request, reply) => reply.type('text/html; charset=utf-8').send(runbook),
  });
  server.route<{ Params: { name: string } }>({
    method: READS,
    url: '/:name',
    handler: ({ params }, reply) => send(params.name, reply),
  });
}

function addApi(server: FastifyInstance, parts: PageServerParts): void {
  const { viewers, overview, onViewer } = parts;
  server.get('/api/overview', (request, reply) => {
    const query = querySchema.safeParse(request.query);
    if (!query.success) return refuse(reply, 400, z.prettifyError(query.error));
    return reply.send(overview(query.data));
  });
  server.get('/api/events', (_request, reply) => {
    if (viewers.isFull)
      return refuse(reply.header('retry-after', '30'), 503, 'too many viewers; /api/overview still answers');
    reply.hijack();
    const stream = reply.raw;
    stream.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    viewers.add(stream);
    onViewer();
    return reply;
  });
}

function addDetails(server: FastifyInstance, { openVolume, openPool }: PageServerParts): void {
  server.get<{ Params: { id: string } }>('/api/pools/:id', ({ params }, reply) => {
    const detail = openPool(params.id);
    return detail === undefined ? refuse(reply, 404, 'there is no such pool') : reply.send(detail);
  });
  server.get<{ Params: { id: string } }>('/api/volumes/:id', async ({ params }, reply) => {
    const opened = await openVolume(params.id);
    switch (opened.kind) {
      case 'shown':
        return reply.send(opened.detail);
      case 'unknown':
        return refuse(reply, 404, 'there is no such volume');
      case 'busy':
        return refuse(reply.header('retry-after', '5'), 503, 'too many volumes are being opened; try again');
      case 'failed':
        return refuse(reply.header('retry-after', '5'), 503, `the array cannot say now: ${opened.why}`);
    }
  });
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
