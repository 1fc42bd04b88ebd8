import { asClaimant, NAMELESS, type Claimant } from '../volumes/host-volume.ts';

/**
 * Who claims a volume through Docker's protocol: a mount ID, one for each container and, nested, for each copy. A client that sends
 * none (dvdcli) is one and the same claimant each time (rule 6).
 */
export function claimantOf(mountId: string): Claimant {
  return mountId === '' ? NAMELESS : asClaimant(mountId);
}
