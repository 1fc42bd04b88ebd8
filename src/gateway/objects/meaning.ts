import {
  GatewayRejectedError,
  InvalidRequestError,
  type CapacityError,
  type GatewayAuthError,
  type Refusal,
} from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { ArrayIdentity } from '../../array/system.ts';

/** What a refusal came to us as: the numbers moved with 4.x, so that one may be taken for another. */
export type Refused = GatewayRejectedError | CapacityError | GatewayAuthError;

/** The same refusal with the meaning that the array showed when it was asked. */
export function meaning(error: Refused, refusal: Refusal, remedy = ''): GatewayRejectedError {
  const message = remedy === '' ? error.message : error.reason;
  return new GatewayRejectedError(message, { refusal, remedy, context: error.context, cause: error });
}

/** A refusal on account of a snapshot that is secured; undefined when the volume is none. It may be over by now: then it is not why. */
export function lockedMeaning(error: GatewayRejectedError, volume: ArrayVolume): Error | undefined {
  const { secureUntilSeconds: until } = volume;
  if (until === null) return undefined;
  const date = new Date(until * 1000);
  const when = Number.isNaN(date.getTime()) ? 'for a time' : `until ${date.toISOString()}`;
  return meaning(error, 'locked', `the snapshot is secured ${when}; wait until then`);
}

/** What an array of this version lacks. */
export function lacks(what: string, { version }: ArrayIdentity): InvalidRequestError {
  return new InvalidRequestError(`cannot ${what}: the array's version is ${version}, it takes 3.0 or later`);
}
