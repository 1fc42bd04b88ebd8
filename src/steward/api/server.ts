import type { RequestListener, Server } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { makeRoom } from '../../host/connections.ts';
import { isPluginError } from '../../errors.ts';
import { callerOf, knownCaller, noteCaller } from './caller.ts';
import { Changes } from './changes.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import { addSnapshotRoutes } from './snapshot-routes.ts';
import { addTrashRoutes } from './trash-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addLifeRoutes } from './life-routes.ts';
import type { ApiParts } from './parts.ts';
import { ApiRefusal, internalProblem, problemOf, PROBLEM_TYPE } from './problem.ts';
import { addReferenceRoutes } from './reference.ts';
import { ROOT, type ApiServer } from './route.ts';
import type { Tokens } from './tokens.ts';
import { addVolumeRoutes } from './volume-routes.ts';

/** Nothing of it is to be shown within a page, and what shows the reference needs no script. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const MOST_CONNECTIONS = 256;
const LARGEST_BODY = 16 * 1024;
/** Of who has shown no token that is known. */
const STRANGERS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
/** Characters of a name in an address, each of which may take three. */
const LONGEST_PARAMETER = 1024;

/** What a server listens with: plain HTTP, or with a certificate of its own. */
export type MakeListener = (handler: RequestListener) => Server;

/** The API, not listening yet. */
export function createApiServer(parts: ApiParts, makeListener: MakeListener): ApiServer {
  const server: ApiServer = Fastify({
    logger: false,
    genReqId: parts.newRequestId,
    bodyLimit: LARGEST_BODY,
    forceCloseConnections: true,
    serverFactory: (handler) => makeListener(handler),
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    frameworkErrors: (error, request, reply) => {
      refuse(parts, { error, request, reply });
    },
  });
  makeRoom(server.server, MOST_CONNECTIONS);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, request, reply) => refuse(parts, { error, request, reply }));
  server.setNotFoundHandler((request, reply) => {
    const what = `${request.method} ${request.url.split('?', 1)[0] ?? ''}`;
    const error = new ApiRefusal(404, 'NO_SUCH_CALL', `the API has no ${what}; see ${ROOT}/reference`);
    return refuse(parts, { error, request, reply });
  });
  addGate(server, parts);
  void server.register(swagger, {
    openapi: description(parts.version),
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  void server.register(rateLimit, {
    max: (request) => callerOf(request)?.perMinute ?? STRANGERS_PER_MINUTE,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => {
      const caller = callerOf(request);
      return caller === undefined ? `stranger ${request.ip}` : `token ${caller.name}`;
    },
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { after }) =>
      new ApiRefusal(429, 'TOO_MANY_REQUESTS', `too many requests; ask again in ${after}`),
  });
  const changes = new Changes(parts);
  // In a scope of its own, so that its routes come after the rate limit.
  void server.register((scope, _options, done) => {
    const api = scope as unknown as ApiServer;
    addVolumeRoutes(api, parts, changes);
    addLifeRoutes(api, parts, changes);
    addSnapshotRoutes(api, parts, changes);
    addTrashRoutes(api, parts, changes);
    addClusterRoutes(api, parts, changes);
    addEventRoutes(api, parts);
    addReferenceRoutes(api);
    done();
  });
  return server;
}

/** Who asks is known before he is counted, and counted before a body of his is read. */
function addGate(server: ApiServer, { inRequest, tokens }: ApiParts): void {
  server.addHook('onRequest', (request, _reply, next) => {
    inRequest(request.id, next);
  });
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS);
    const offered = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    noteCaller(request, offered === undefined ? undefined : (await usable(tokens)).find(offered));
  });
  server.addHook('preParsing', (request, _reply, _payload, next) => {
    try {
      if (request.routeOptions.schema?.security !== undefined) knownCaller(request);
      next();
    } catch (error) {
      next(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** What is wrong with the file is for the log alone: who asks may be anybody. */
async function usable(tokens: ApiParts['tokens']): Promise<Tokens> {
  try {
    return await tokens();
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    const message = "the steward's tokens file cannot be used now, and its log says why";
    throw new ApiRefusal(503, 'TOKENS_UNUSABLE', message);
  }
}

function description(version: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'docker-volume-scaleio',
      version,
      description:
        'What applications may have done to their volumes: the same as docker-volume-scaleio volume does, in the same words. ' +
        'Sizes are KiB, times ISO 8601, null is what the array does not say.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: {
      securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } },
    },
  };
}

interface Refused {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function refuse({ log }: ApiParts, { error, request, reply }: Refused): FastifyReply {
  const said = problemOf(inOurWords(error), request.id);
  const by = callerOf(request)?.name ?? null;
  const facts = { requestId: request.id, by, call: `${request.method} ${request.url}` };
  if (said === undefined) log.error({ ...facts, err: error }, 'a request of the API failed unexpectedly');
  else if (isPluginError(error) || said.problem.status === 403 || said.problem.status === 401)
    log.warn(
      { ...facts, code: said.problem.code, reason: said.problem.detail },
      'a request of the API was refused',
    );
  const { problem, headers } = said ?? { problem: internalProblem(request.id), headers: {} };
  return reply
    .code(problem.status)
    .headers({ ...HEADERS, ...headers })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

const FRAMEWORK_STATUS = new Set([400, 413, 414, 415, 431]);

/** What Fastify refuses, as this door says it. */
function inOurWords(error: unknown): unknown {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const lines = error.validation.map(({ instancePath, message = '' }) => {
      const place = instancePath.replace(/^\//, '').replaceAll('/', '.');
      return place === '' ? message : `${place} ${message}`;
    });
    return new ApiRefusal(400, 'INVALID_REQUEST', lines.join('; '));
  }
  if (!isFastifyError(error)) return error;
  const { statusCode = 500, code, message } = error;
  return FRAMEWORK_STATUS.has(statusCode) ? new ApiRefusal(statusCode, code, message) : error;
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_');
}
