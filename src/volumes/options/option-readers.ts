import { InvalidRequestError } from '../../errors.ts';
import { parseYesNo } from '../../units/choice.ts';
import { quote } from '../../units/quote.ts';
import { formatSize, parseSize } from '../../units/size.ts';

/*
 * How values of options are written, for `-o` and for the operator's settings alike. Each throws InvalidRequestError whose message
 * follows the name of what was given: the option's, or the setting's.
 */

const MIB = 1024 ** 2;
/** Smallest limit the array takes, other than none [ansible-powerflex]. */
const FEWEST_IOPS = 11;
const MOST_IOPS = 2 ** 31 - 1;
/** The array counts KiB per second in 31 bits. */
const MOST_BANDWIDTH_KIB = 1024 ** 3;
/** The id above it means nobody [Linux uapi uidgid]. */
const MOST_OWNER = 2 ** 32 - 2;
const LONGEST_PATH = 1024;
const LONGEST_PART = 255;

/** KiB; a number without a unit is GiB. */
export function readSizeKiB(raw: string): number {
  return Math.ceil(parseSize(raw, { named: true }) / 1024);
}

/** Names of the array's objects have at most 31 printable characters, ids 16. [goscaleio] */
export function readObjectName(raw: string): string {
  return /^[!-~]{1,31}$/.test(raw)
    ? raw
    : refuse(raw, 'a name of 1 to 31 characters without spaces, or an id');
}

/** Number of a user or group. */
export function readOwner(raw: string): number {
  return readWhole(raw, MOST_OWNER) ?? refuse(raw, `a numeric id, such as 999, of at most ${MOST_OWNER}`);
}

export function readMode(raw: string): number {
  return /^0?[0-7]{3,4}$/.test(raw)
    ? Number.parseInt(raw, 8)
    : refuse(raw, 'an octal file mode, such as 0750');
}

/** 0: no limit. */
export function readIops(raw: string): number {
  const iops = readWhole(raw, MOST_IOPS);
  if (iops === 0 || (iops !== undefined && iops >= FEWEST_IOPS)) return iops;
  return refuse(raw, `0 (no limit) or a number of at least ${FEWEST_IOPS}`);
}

/** 0: no limit. */
export function readBandwidthKiBps(raw: string): number {
  if (raw.trim() === '0') return 0;
  const bytes = parseSize(raw.replace(/\/s$|ps$/i, ''), { named: true, plainUnit: 'refuse' });
  if (bytes % MIB === 0 && bytes / 1024 <= MOST_BANDWIDTH_KIB) return bytes / 1024;
  return refuse(raw, `0 (no limit) or whole MiB per second, at most ${formatSize(MOST_BANDWIDTH_KIB)}`);
}

/** `-o readonly` alone reaches us with an empty value [docker/cli]. */
export function readFlag(raw: string): boolean {
  return raw === '' || parseYesNo(raw);
}

/** A directory below the volume's root, '' for the root itself. Slashes at the ends say nothing more, as in REX-Ray's "/data". */
export function readSubpath(raw: string): string {
  const parts = raw.split('/').filter((part) => part !== '');
  const isPlain = (part: string): boolean => part !== '.' && part !== '..' && isShort(part);
  const isSafe = raw.length <= LONGEST_PATH && raw.isWellFormed() && !/\p{Cc}/u.test(raw);
  if (isSafe && parts.every(isPlain)) return parts.join('/');
  return refuse(raw, 'a path below the volume\'s root like data/main, without "." and ".."');
}

function refuse(raw: string, expected: string): never {
  throw new InvalidRequestError(`${quote(raw)} is not ${expected}`);
}

function readWhole(raw: string, most: number): number | undefined {
  const number = /^\d{1,10}$/.test(raw) ? Number(raw) : Infinity;
  return number <= most ? number : undefined;
}

function isShort(part: string): boolean {
  return new TextEncoder().encode(part).length <= LONGEST_PART;
}
