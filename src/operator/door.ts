import type { RequestListener, Server } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { InvalidRequestError, isPluginError } from '../errors.ts';
import { makeRoom } from '../host/connections.ts';
import type { Log } from '../runtime/log.ts';
import {
  ACTION_NAMES,
  isRepeatedLook,
  type ActionName,
  type OperatorActions,
  type Result,
  type Wanted,
} from '../volumes/operator-actions.ts';
import { doorCall, type DoorFailure } from './calls.ts';
import { NotLetIn, type Gate } from './gate.ts';
import { assertSameRealm, REALM, type Realm } from './realm.ts';
import { ASKED_FOR, STEWARD_ACTIONS } from './steward-calls.ts';

export interface DoorOptions {
  readonly actions: OperatorActions;
  readonly log: Log;
  /** Unique within a log. */
  readonly newRequestId: () => string;
  /** Runs the rest of a call so that all it sets off bears its id. */
  readonly inRequest: (id: string, rest: () => void) => void;
  /** For one call, ms; whoever asks waits a little longer. */
  readonly limitMs: number;
}

/** What a door to stewards is made with besides. */
export interface StewardDoorOptions extends DoorOptions {
  readonly gate: Pick<Gate, 'admit'>;
  /** What this host works on; rejects with a PluginError where that cannot be told now. */
  readonly realm: (signal: AbortSignal) => Promise<Realm>;
  /** With TLS. */
  readonly makeListener: (handler: RequestListener) => Server;
}

const LARGEST_BODY = 16 * 1024;
const MOST_CONNECTIONS = 32;
/** For the array to say which one it is. */
const REALM_MS = 10_000;

/**
 * The operator's door over HTTP, not listening yet: what `docker-volume-scaleio volume …` asks of the running plugin. Only root may
 * open the socket, so nobody is asked who he is. A call goes on to its end also when who asked hangs up: half of a fence is worse
 * than one that nobody waits for.
 */
export function createDoor(options: DoorOptions): FastifyInstance {
  const { newRequestId } = options;
  const door = Fastify({ logger: false, genReqId: newRequestId, forceCloseConnections: 'idle' });
  enterEach(door, options);
  return serving(door, ACTION_NAMES, options);
}

/**
 * The same for stewards on other machines, not listening yet: of the actions only those that they need, and only for who shows a token, which is
 * asked for before anything else of a request is looked at, and works on the volumes of the same array and prefix.
 */
export function createStewardDoor(options: StewardDoorOptions): FastifyInstance {
  const { newRequestId, gate, realm, makeListener } = options;
  const door = Fastify({
    logger: false,
    genReqId: newRequestId,
    forceCloseConnections: 'idle',
    bodyLimit: LARGEST_BODY,
    serverFactory: (handler) => makeListener(handler),
  });
  makeRoom(door.server, MOST_CONNECTIONS);
  enterEach(door, options);
  door.addHook('onRequest', async ({ headers, ip }) => {
    await gate.admit(headers.authorization, ip);
    assertSameRealm(await told(realm), headers[REALM]);
  });
  return serving(door, STEWARD_ACTIONS, { ...options, whoOf: stewardOf });
}

async function told(realm: StewardDoorOptions['realm']): Promise<Realm> {
  try {
    return await realm(AbortSignal.timeout(REALM_MS));
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    throw new NotLetIn(503, `cannot tell now which array it works on: ${cause.message}`);
  }
}

function enterEach(door: FastifyInstance, { inRequest }: DoorOptions): void {
  door.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id);
    inRequest(request.id, next);
  });
}

/** Who asks, for the log; what he says of himself only where it can be nothing else than an id. */
function stewardOf({ ip, headers }: FastifyRequest): object {
  const id = headers[ASKED_FOR];
  const isId = typeof id === 'string' && /^[\w.-]{1,64}$/.test(id);
  return { by: `steward at ${ip}`, ...(isId ? { stewardRequest: id } : {}) };
}

function serving(
  door: FastifyInstance,
  offered: readonly ActionName[],
  {
    actions,
    log,
    limitMs,
    whoOf = () => ({}),
  }: DoorOptions & { readonly whoOf?: (request: FastifyRequest) => object },
): FastifyInstance {
  const serve = (action: ActionName): void => {
    const { path, request: schema } = doorCall(action);
    door.post(path, async (request) => {
      const { data, error } = schema.safeParse(request.body);
      if (error !== undefined)
        throw new InvalidRequestError(
          `${path} was asked for something else than this plugin knows; use the command of the plugin's own version`,
          { cause: error },
        );
      log[isRepeatedLook(action) ? 'debug' : 'info'](
        { call: path, requestId: request.id, ...data, ...whoOf(request) },
        'operator asks',
      );
      return {
        result: (await asked(actions, { action, wanted: data }, AbortSignal.timeout(limitMs))) ?? null,
      };
    });
  };
  for (const action of offered) serve(action);
  const who = (request: FastifyRequest): object => ({ requestId: request.id, ...whoOf(request) });
  door.setErrorHandler((error, request, reply) => refuse(log, { error, who: who(request), request, reply }));
  door.setNotFoundHandler((request, reply) => {
    const error = new InvalidRequestError(
      `this plugin knows no ${request.method} ${request.url}; use the command of the plugin's own version`,
    );
    return refuse(log, { error, who: who(request), request, reply });
  });
  return door;
}

function asked<A extends ActionName>(
  actions: OperatorActions,
  { action, wanted }: { readonly action: A; readonly wanted: Wanted<A> },
  signal: AbortSignal,
): Promise<Result<A>> {
  return actions[action](wanted, signal);
}

interface Refused {
  readonly error: unknown;
  /** For the log. */
  readonly who: object;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function refuse(log: Log, { error, who, request, reply }: Refused): FastifyReply {
  if (error instanceof NotLetIn) return notLetIn(log, { error, who, reply });
  const refusal = isFrameworkRefusal(error)
    ? new InvalidRequestError(error.message, { cause: error })
    : error;
  if (isPluginError(refusal)) {
    const { code, message, retryable, context } = refusal;
    log.warn({ ...who, code, reason: message, context }, 'refused what an operator asked');
    return reply.code(409).send({ code, message, retryable, context } satisfies DoorFailure);
  }
  log.error({ ...who, err: error }, 'what an operator asked failed');
  const message = `internal error, see the plugin's log for request ${request.id}`;
  return reply
    .code(500)
    .send({ code: 'PLUGIN', message, retryable: false, context: {} } satisfies DoorFailure);
}

function notLetIn(
  log: Log,
  { error, who, reply }: Pick<Refused, 'who' | 'reply'> & { readonly error: NotLetIn },
): FastifyReply {
  const { status, message, isTold } = error;
  log[isTold ? 'debug' : 'warn']({ ...who, reason: message }, "not let in at the steward's door");
  // He gets no word more, and no connection that he could go on with.
  return reply
    .code(status)
    .header('connection', 'close')
    .send({ code: 'CONFIG', message, retryable: status !== 401, context: {} } satisfies DoorFailure);
}

/** What was sent is no JSON, or too long. */
function isFrameworkRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_');
}
