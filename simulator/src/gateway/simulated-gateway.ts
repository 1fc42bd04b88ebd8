import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { listen } from '../listening.ts';
import { ArrayError, invalidRequest } from '../mdm/failures.ts';
import type { GatewayApi } from './api.ts';
import { addAuthentication, pathOf, type AuthenticationParts } from './authentication.ts';
import { addFaultHooks, type FaultHookParts } from './fault-hooks.ts';
import { sendFailure } from './replies.ts';

interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

export interface GatewayParts extends AuthenticationParts, FaultHookParts {
  readonly api: GatewayApi;
  readonly host: string;
  /** 0 takes any free port, the same one again after each time it was down. */
  readonly port: number;
  /** Key and certificate in PEM; plain HTTP without. */
  readonly tls: TlsFiles | undefined;
  readonly htmlErrors: boolean;
  /** Adds further paths, such as the fault controls. */
  readonly extend: (app: FastifyInstance) => void;
}

/** One listener of the REST API. It can go down and come up again on the same port. */
export class SimulatedGateway {
  readonly #parts: GatewayParts;
  #app: FastifyInstance | undefined;
  #port: number;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#port = parts.port;
  }

  /** Without a path and without a final slash. */
  get url(): string {
    const { host, tls } = this.#parts;
    const name = host.includes(':') ? `[${host}]` : host;
    return `${tls ? 'https' : 'http'}://${name}:${this.#port}`;
  }

  get isUp(): boolean {
    return this.#app !== undefined;
  }

  /** Listens. Throws SimulatorError when it cannot. */
  async up(): Promise<void> {
    if (this.#app) return;
    const app = buildGateway(this.#parts);
    this.#app = app;
    const { host } = this.#parts;
    try {
      await listen(app, { what: 'gateway', flag: '--listen', host, port: this.#port });
    } catch (error) {
      this.#app = undefined;
      throw error;
    }
    const address = app.server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** Stops listening and cuts all connections. */
  async down(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    await app?.close();
  }
}

/** The gateway as a fastify application that does not listen yet. */
function buildGateway(parts: GatewayParts): FastifyInstance {
  const options = {
    logger: false,
    forceCloseConnections: true,
    bodyLimit: 16 * 1024 * 1024,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
    frameworkErrors: (error: Error, _: FastifyRequest, reply: Parameters<typeof sendFailure>[0]) => {
      void sendFailure(reply, invalidRequest(error.message), false);
    },
  };
  const app = (
    parts.tls ? fastify({ ...options, https: { ...parts.tls } }) : fastify(options)
  ) as FastifyInstance;
  app.setErrorHandler((error, _, reply) => sendFailure(reply, error, parts.htmlErrors));
  app.setNotFoundHandler((request, reply) =>
    sendFailure(
      reply,
      new ArrayError(`No such resource: ${pathOf(request)}`, { status: 404, code: 0 }),
      parts.htmlErrors,
    ),
  );
  addFaultHooks(app, parts);
  addAuthentication(app, parts);
  addBodyRules(app);
  parts.api.addTo(app);
  parts.extend(app);
  return app;
}

/** A POST to the API must say that it is JSON [ansible-powerflex #49]; a request must be able to take JSON (406). */
function addBodyRules(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => {
    try {
      const text = String(body).trim();
      done(null, text === '' ? {} : JSON.parse(text));
    } catch {
      done(invalidRequest('Request message is not valid: the body is not JSON'));
    }
  });
  app.addHook('onRequest', (request, _, done) => {
    const { accept, 'content-type': contentType } = request.headers;
    if (!/^\/(api|rest)\//.test(request.url)) done();
    else if (accept !== undefined && !/application\/(json|\*)|\*\/\*/i.test(accept)) {
      done(new ArrayError('Not Acceptable', { status: 406, code: 0 }));
    } else if (request.method === 'POST' && !/^application\/json/i.test(contentType ?? '')) {
      done(invalidRequest('Request header Content-Type should be application/json'));
    } else done();
  });
}
