import { isOurs } from '../naming.ts';

/*
 * A habit of Docker's engine and nothing of the core's: a volume to which nobody gave a name (`docker run -v /data`) is called by 64
 * random hex digits. Nothing that a volume is used with goes by it, only the search for volumes that were left behind.
 */

/** True for the name that a volume gets to which nobody gave one. */
export function isAnonymous(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

/**
 * True for the array names that arrayNameFor gives for names of that kind: they begin with as many of the digits as have room.
 * Somebody may call another volume so, too; only its label tells.
 */
export function mayBeAnonymous(prefix: string, arrayName: string): boolean {
  return isOurs(prefix, arrayName) && /^[0-9a-f]+~[a-z2-7]{13}$/.test(arrayName.slice(prefix.length));
}
