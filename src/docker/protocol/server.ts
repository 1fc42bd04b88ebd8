import type { IncomingMessage } from 'node:http';

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import type { Log } from '../../runtime/log.ts';
import { readBody } from './body.ts';
import { failureFacts, failureText } from './failures.ts';
import { OPERATIONS } from './operations.ts';
import { CONTENT_TYPE, failed } from './responses.ts';
import { serveOperation, type Deadlines } from './serve.ts';
import { answerUnreadableRequests } from './unreadable.ts';
import type { VolumeDriver } from '../volume-driver.ts';

/**
 * Engines keep idle connections for 30 s, older ones for ever [moby sockets.go]. Whoever closes first must be the
 * engine: a request that meets our closing would be repeated without its body.
 */
const KEEP_ALIVE_MS = 75_000;
const HEADERS_MS = KEEP_ALIVE_MS + 5000;

/** Below the engine's 120 s and 60 s [moby proxy.go], so that the user reads our reason and not a broken connection. */
const DEADLINES: Deadlines = { longMs: 100_000, shortMs: 50_000, graceMs: 5000 };

export interface DockerServerOptions {
  readonly driver: VolumeDriver;
  readonly log: Log;
  /** Unique within a log; appears in the text of internal errors. */
  readonly newRequestId: () => string;
  readonly deadlines?: Deadlines;
}

/**
 * The Docker volume driver protocol over HTTP, not listening yet: await `ready()`, then give `server` to socket.ts.
 * Every answer is status 200 with a JSON object, or 500 with {"Err": text} (Podman looks at the status alone, Docker
 * at either [podman volume_api.go, moby client.go]); a Get that cannot tell whether the volume exists is not answered
 * at all (`provesAbsence`). Headers are not looked at: each engine sends others. Answers bear the id under which the log has the call.
 */
export function createDockerServer(options: DockerServerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: options.newRequestId,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_MS, requireHostHeader: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      refuse(options.log, { error, request, reply });
    },
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  answerUnreadableRequests(app.server);
  acceptAnyBody(app);
  app.setErrorHandler((error, request, reply) => refuse(options.log, { error, request, reply }));
  app.setNotFoundHandler((request, reply) =>
    refuse(options.log, { error: noSuchCall(request), request, reply }),
  );
  for (const operation of OPERATIONS) {
    app.post(
      operation.path,
      serveOperation(operation, { ...options, deadlines: options.deadlines ?? DEADLINES }),
    );
  }
  return app;
}

/** Engines send no content type, their own, or podman's; all of them mean JSON. */
function acceptAnyBody(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _, next) => {
    delete request.raw.headers['content-type'];
    next();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) => readBody(payload));
}

function noSuchCall(request: FastifyRequest): InvalidRequestError {
  const isPath = OPERATIONS.some((operation) => operation.path === request.url);
  const why = isPath ? 'takes only POST' : 'is not part of the volume driver protocol';
  return new InvalidRequestError(`${request.method} ${quote(request.url)}: this path ${why}`);
}

/** Answers what did not get as far as an operation. */
function refuse(
  log: Log,
  { error, request, reply }: { error: unknown; request: FastifyRequest; reply: FastifyReply },
): FastifyReply {
  const refusal = isFrameworkRefusal(error)
    ? new InvalidRequestError(error.message, { cause: error })
    : error;
  log.warn({ requestId: request.id, ...failureFacts(refusal) }, 'refused a request');
  return reply
    .code(500)
    .type(CONTENT_TYPE)
    .send(failed(failureText(refusal, request.id)));
}

/** Failures of the client's making: Fastify's own refusals, and a connection that broke within the body. */
function isFrameworkRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return String(error.code).startsWith('FST_') || error.code === 'ECONNRESET';
}
