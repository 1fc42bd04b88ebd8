import { networkInterfaces } from 'node:os';

/** This host's own addresses as they are now, in all families; needs to see the host's network. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}
