import type { FastifyRequest } from 'fastify';
import { quote } from '../../units/quote.ts';
import { ApiRefusal } from './problem.ts';
import type { Grant } from './tokens.ts';

const CALLERS = new WeakMap<FastifyRequest, Grant>();

/** Notes who asks; undefined: nobody that is known. */
export function noteCaller(request: FastifyRequest, grant: Grant | undefined): void {
  if (grant !== undefined) CALLERS.set(request, grant);
}

/** Who asks, if he is known. */
export function callerOf(request: FastifyRequest): Grant | undefined {
  return CALLERS.get(request);
}

/** Who asks. Throws ApiRefusal (401) where he is not known. */
export function knownCaller(request: FastifyRequest): Grant {
  const caller = callerOf(request);
  if (caller !== undefined) return caller;
  throw new ApiRefusal(
    401,
    'TOKEN_UNKNOWN',
    'send a token of SCALEIO_API_TOKENS_FILE as "Authorization: Bearer …"',
    { 'www-authenticate': 'Bearer' },
  );
}

/** Throws ApiRefusal (403) where the token may not touch one of these volumes, whether or not there is one of the name. */
export function assertVolumes(grant: Grant, names: readonly string[]): void {
  const foreign = names.find((name) => !grant.volumes.matches(name));
  if (foreign === undefined) return;
  throw new ApiRefusal(
    403,
    'VOLUME_NOT_ALLOWED',
    `token "${grant.name}" may touch volumes ${grant.volumes.toString()}, and ${quote(foreign)} is none of these`,
  );
}

/** Throws ApiRefusal (403) for a token that may only read. */
export function assertOperator(grant: Grant): void {
  if (grant.role === 'operator') return;
  throw new ApiRefusal(
    403,
    'ROLE_NOT_ALLOWED',
    `token "${grant.name}" has the role ${grant.role}, which changes nothing; that takes the role operator`,
  );
}
