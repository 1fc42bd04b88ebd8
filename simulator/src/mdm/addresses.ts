import { isIP } from 'node:net';
import { refusal } from './failures.ts';

/**
 * An address that a host can have, as given. Throws 120 for what is no IP address, and for those that belong to no host: of
 * "this network" (0.…), of groups and above (224.… on, ff…), and the unspecified one of IPv6.
 */
export function hostAddress(given: string): string {
  const version = isIP(given);
  const first = Number(given.split('.')[0]);
  const isOfAHost = version === 4 ? first > 0 && first < 224 : version === 6 && !/^(ff|[0:]+$)/i.test(given);
  if (!isOfAHost) throw refusal('BAD_HOSTNAME');
  return given;
}
