import { createHash } from 'node:crypto';
import { InvalidRequestError } from '../errors.ts';
import { quote } from '../units/quote.ts';
import { asArrayName, asVolumeId, type ArrayName, type VolumeId } from '../array/ids.ts';
import { asVolumeName, POLICY_CHOICES, type VolumeName, type PolicyChoice } from './volume.ts';

/*
 * People and programs name volumes as they like; the array takes 31 characters of letters, digits and punctuation
 * [goscaleio]. Six families of array names, which never meet because no volume's name holds a '~':
 *   <prefix><name>             a name that fits, as it is
 *   <prefix><head>~<hash>      any other: its beginning, and 65 bits of the SHA-256 of the whole; always 31 long
 *   ~new.<host>.<random>       provisional, being made by a host
 *   ~<policy>.<volume id>      marker that carries a volume's failover policy
 *   ~rm.… and ~gone.…          a removed volume that can still be had back, or no longer (trash/trash-names.ts)
 */

const ARRAY_NAME_LENGTH = 31;
const HASH_LENGTH = 13;
const LONGEST_NAME = 255;
const ALLOWED = 'letters, digits and _ . + = : @ , % # -';
const EXACT = /^[A-Za-z0-9][A-Za-z0-9_.+=:@,%#-]*$/;
const HASHED = /^[A-Za-z0-9][A-Za-z0-9_.+=:@,%#-]*~[a-z2-7]{13}$/;
const PROVISIONAL = /^~new\.([0-9a-f]{8})\.[0-9a-f]{8}$/;
const MARKER = /^~([a-z]+)\.([0-9a-f]{16})$/;

/** A volume's failover policy, kept on the array as a volume's name. */
export interface PolicyMarker {
  /** default: each host's own, said by command where the volume was made with another. */
  readonly policy: PolicyChoice;
  readonly volumeId: VolumeId;
}

/**
 * The name, if it is one that a volume can have: 1 to 255 characters, a letter or digit first, then letters, digits and
 * _ . + = : @ , % # - without "..". Throws InvalidRequestError that says what is wrong.
 */
export function validateVolumeName(raw: string): VolumeName {
  const why = faultOf(raw);
  if (why === undefined) return asVolumeName(raw);
  throw new InvalidRequestError(
    `volume name ${quote(raw)} ${why}; use at most ${LONGEST_NAME} ${ALLOWED}, with a letter or digit first`,
  );
}

/**
 * The array's name for a volume's name: the same on every host, at any time, and different for every name (rule 10).
 * The prefix has at most 16 of the characters of a name (settings allow 12); of two prefixes on one array neither may
 * begin with the other, or the shorter sees the volumes of both.
 */
export function arrayNameFor(prefix: string, name: VolumeName): ArrayName {
  const exact = prefix + name;
  if (exact.length <= ARRAY_NAME_LENGTH) return asArrayName(exact);
  const head = exact.slice(0, ARRAY_NAME_LENGTH - HASH_LENGTH - 1);
  return asArrayName(`${head}~${digitsOf(name, HASH_LENGTH)}`);
}

/** What stands for a longer text in a name: so many of a-z and 2-7 of its SHA-256, five bits each. */
export function digitsOf(text: string, length: number): string {
  return base32(createHash('sha256').update(text).digest()).slice(0, length);
}

/** True for names that arrayNameFor gives with this prefix; false for all others, also provisional ones and markers. */
export function isOurs(prefix: string, arrayName: string): boolean {
  if (!arrayName.startsWith(prefix) || arrayName.length > ARRAY_NAME_LENGTH) return false;
  const rest = arrayName.slice(prefix.length);
  if (rest.includes('..')) return false;
  return EXACT.test(rest) || (arrayName.length === ARRAY_NAME_LENGTH && HASHED.test(rest));
}

/** The volume's name behind an array name of ours; undefined when it is hashed (then it is known by other means) or not ours. */
export function volumeNameOf(prefix: string, arrayName: string): VolumeName | undefined {
  if (!isOurs(prefix, arrayName) || arrayName.includes('~')) return undefined;
  return asVolumeName(arrayName.slice(prefix.length));
}

/**
 * The name under which this host makes a new volume until it is complete (rule 4). `random`: 8 hex digits. It says
 * whose it is, by SDC GUID and prefix, so that a host clears away its own leftovers and no others.
 */
export function provisionalName(guid: string, prefix: string, random: string): ArrayName {
  return asArrayName(`~new.${provisionalMark(guid, prefix)}.${random.toLowerCase()}`);
}

/** True for the provisional names of this host and prefix. */
export function isProvisionalOf(guid: string, prefix: string, arrayName: string): boolean {
  return markOfProvisional(arrayName) === provisionalMark(guid, prefix);
}

/** What the provisional names of one host and prefix have in common: 8 hex digits that tell neither. */
export function provisionalMark(guid: string, prefix: string): string {
  return createHash('sha256').update(`${guid.toUpperCase()}\0${prefix}`).digest('hex').slice(0, 8);
}

/** The provisionalMark in a provisional name; undefined for names that are none. */
export function markOfProvisional(arrayName: string): string | undefined {
  return PROVISIONAL.exec(arrayName)?.[1];
}

/** The marker's name: at most 30 characters. */
export function markerName(policy: PolicyChoice, volumeId: VolumeId): ArrayName {
  return asArrayName(`~${policy}.${volumeId}`);
}

/** What a marker says; undefined for names that are none. */
export function parseMarker(arrayName: string): PolicyMarker | undefined {
  const [, word, volumeId] = MARKER.exec(arrayName) ?? [];
  const policy = POLICY_CHOICES.find((known) => known === word);
  if (policy === undefined || volumeId === undefined) return undefined;
  return { policy, volumeId: asVolumeId(volumeId) };
}

function faultOf(raw: string): string | undefined {
  if (raw === '') return 'is empty';
  if (raw.length > LONGEST_NAME) return `has ${raw.length} characters`;
  const [bad] = /[^A-Za-z0-9_.+=:@,%#-]/u.exec(raw) ?? [];
  if (bad !== undefined) return `contains ${JSON.stringify(bad)}`;
  if (!EXACT.test(raw)) return `begins with "${raw.charAt(0)}"`;
  return raw.includes('..') ? 'contains ".."' : undefined;
}

/** RFC 4648, lower case. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) {
      text += 'abcdefghijklmnopqrstuvwxyz234567'.charAt((buffer >> (bits - 5)) & 31);
    }
  }
  return text;
}
