import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { since } from '../mdm/cluster.ts';
import { ArrayError, refusal } from '../mdm/failures.ts';
import type { RequestFields } from './request-fields.ts';
import { sendJson } from './replies.ts';
import { credentialsOf, type Sessions, type User } from './sessions.ts';
import type { TypeContext } from './object-type.ts';

/** The 401 of bad credentials and dead tokens [csi authorization_failure.json]. */
function unauthorized(): ArrayError {
  return new ArrayError('Unauthorized', { status: 401, code: 0 });
}

export interface AuthenticationParts extends TypeContext {
  readonly sessions: Sessions;
}

/** Login, logout and the check of every other request, as the played version does them. */
export function addAuthentication(app: FastifyInstance, parts: AuthenticationParts): void {
  const { sessions, array } = parts;
  app.addHook('onRequest', async (request) => {
    const path = pathOf(request);
    if (!path.startsWith('/api/') || path === '/api/login') return;
    const user = userOf(parts, request);
    if (user === undefined) throw unauthorized();
    if (user.role === 'Monitor' && changesSomething(request.method, path)) throw refusal('NO_PERMISSIONS');
    await Promise.resolve();
  });
  app.get('/api/login', (request, reply) => {
    const given = credentialsOf(request.headers.authorization);
    const user = given?.scheme === 'basic' ? sessions.user(given.user, given.password) : undefined;
    if (user === undefined) {
      void reply.header('www-authenticate', 'Basic realm="Restricted"');
      throw unauthorized();
    }
    return sendJson(reply, sessions.login(user));
  });
  app.get('/api/logout', (request, reply) => {
    sessions.logout(tokenOf(request) ?? '');
    return sendJson(reply, '');
  });
  if (since(array.cluster, '4.0')) addPlatformLogin(app, parts);
}

/** Path of a request without query and trailing slash. */
export function pathOf(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function changesSomething(method: string, path: string): boolean {
  return method !== 'GET' && !/\/action\/query[A-Z]/.test(path);
}

function tokenOf(request: FastifyRequest): string | undefined {
  const given = credentialsOf(request.headers.authorization);
  return given?.scheme === 'basic' ? given.password : given?.token;
}

/**
 * The user behind a request: the token as Basic password under any user name, or as Bearer from 4.0. /api/version also
 * takes the user's own password, which sio-py sends.
 */
function userOf({ sessions, array }: AuthenticationParts, request: FastifyRequest): User | undefined {
  const given = credentialsOf(request.headers.authorization);
  if (given === undefined) return undefined;
  if (given.scheme === 'bearer') return since(array.cluster, '4.0') ? sessions.use(given.token) : undefined;
  const user = sessions.use(given.password);
  if (user !== undefined || pathOf(request) !== '/api/version') return user;
  return sessions.user(given.user, given.password);
}

/** The management platform of 4.x: tokens by JSON [PyPowerFlex, lxd]. */
function addPlatformLogin(app: FastifyInstance, { sessions, fieldsOf }: AuthenticationParts): void {
  app.post('/rest/auth/login', (request, reply) => {
    const fields: RequestFields = fieldsOf(request.body);
    const user = sessions.user(fields.optional('username') ?? '', fields.optional('password') ?? '');
    if (user === undefined) throw unauthorized();
    return sendJson(reply, {
      scope: 'openid profile email',
      access_token: sessions.login(user),
      expires_in: 300,
      refresh_expires_in: 1800,
      refresh_token: sessions.login(user),
      token_type: 'Bearer',
    });
  });
  app.post('/rest/auth/logout', (request, reply: FastifyReply) => {
    const token = tokenOf(request) ?? '';
    if (sessions.use(token) === undefined) throw unauthorized();
    sessions.logout(token);
    sessions.logout(fieldsOf(request.body).optional('refresh_token') ?? '');
    return reply.code(204).send();
  });
}
