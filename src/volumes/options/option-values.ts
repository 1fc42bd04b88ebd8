import * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { formatSize, parseSize } from '../../units/size.ts';

const MIB = 1024 ** 2;
/** Smallest limit the array takes, other than none [ansible-powerflex]. */
const FEWEST_IOPS = 11;
const MOST_IOPS = 2 ** 31 - 1;
/** The array counts KiB per second in 31 bits. */
const MOST_BANDWIDTH_KIB = 1024 ** 3;
const MOST_OWNER = 2 ** 32 - 2;
const LONGEST_PATH = 1024;
const LONGEST_PART = 255;

const option = <T>(read: (raw: string) => T) =>
  z
    .string({ error: 'every option is a text' })
    .transform((raw, context): T => {
      try {
        return read(raw);
      } catch (error) {
        if (!(error instanceof InvalidRequestError)) throw error;
        context.addIssue(error.message);
        return z.NEVER;
      }
    })
    .optional();

/** The options of Create by the name that people write, and how the value of each is read (docs/options.md). */
export const optionValues = z.strictObject({
  size: option((raw) => Math.ceil(parseSize(raw) / 1024)),
  pool: option((raw) => readObjectName('pool', raw)),
  domain: option((raw) => readObjectName('domain', raw)),
  provisioning: option((raw) =>
    readChoice('provisioning', raw, {
      thin: 'thin',
      thick: 'thick',
      thinprovisioned: 'thin',
      thickprovisioned: 'thick',
    }),
  ),
  fs: option((raw) => readChoice('fs', raw, { ext4: 'ext4', xfs: 'xfs', btrfs: 'btrfs' })),
  mkfs: option((raw) => raw),
  mount: option((raw) => raw),
  uid: option((raw) => readOwner('uid', raw)),
  gid: option((raw) => readOwner('gid', raw)),
  mode: option(readMode),
  iops: option(readIops),
  bandwidth: option(readBandwidthKiBps),
  readonly: option(readFlag),
  subpath: option(readSubpath),
  failover: option((raw) =>
    readChoice('failover', raw, {
      never: 'never',
      disconnected: 'disconnected',
      idle: 'idle',
      always: 'always',
      default: 'default',
    }),
  ),
});

/** An option's name as people write it. */
export type OptionName = keyof z.output<typeof optionValues>;

function refuse(what: string, raw: string, expected: string): never {
  throw new InvalidRequestError(`${what} ${quote(raw)} is not ${expected}`);
}

function readChoice<const T extends string>(
  what: string,
  raw: string,
  choices: Readonly<Record<string, T>>,
): T {
  const written = raw.toLowerCase();
  const choice = Object.hasOwn(choices, written) ? choices[written] : undefined;
  return choice ?? refuse(what, raw, `one of ${[...new Set(Object.values(choices))].join(', ')}`);
}

/** Names of the array's objects have at most 31 printable characters, ids 16. [goscaleio] */
function readObjectName(what: string, raw: string): string {
  return /^[!-~]{1,31}$/.test(raw)
    ? raw
    : refuse(what, raw, `a name of 1 to 31 characters without spaces, or an id`);
}

function readWhole(raw: string, most: number): number | undefined {
  const number = /^\d{1,10}$/.test(raw) ? Number(raw) : Infinity;
  return number <= most ? number : undefined;
}

function readOwner(what: string, raw: string): number {
  return readWhole(raw, MOST_OWNER) ?? refuse(what, raw, 'a numeric id, such as 999');
}

function readMode(raw: string): number {
  return /^0?[0-7]{3,4}$/.test(raw)
    ? Number.parseInt(raw, 8)
    : refuse('mode', raw, 'an octal file mode, such as 0750');
}

function readIops(raw: string): number {
  const iops = readWhole(raw, MOST_IOPS);
  if (iops === 0 || (iops !== undefined && iops >= FEWEST_IOPS)) return iops;
  return refuse('iops', raw, `0 (no limit) or a number of at least ${FEWEST_IOPS}`);
}

function readBandwidthKiBps(raw: string): number {
  if (raw.trim() === '0') return 0;
  const bytes = parseSize(raw.replace(/\/s$|ps$/i, ''), {
    what: 'bandwidth per second',
    plainUnit: 'refuse',
  });
  if (bytes % MIB === 0 && bytes / 1024 <= MOST_BANDWIDTH_KIB) return bytes / 1024;
  return refuse(
    'bandwidth',
    raw,
    `0 (no limit) or whole MiB per second, at most ${formatSize(MOST_BANDWIDTH_KIB)}`,
  );
}

/** `-o readonly` alone reaches us with an empty value [docker/cli]. */
function readFlag(raw: string): boolean {
  const written = raw.toLowerCase();
  if (['', 'true', 'yes', 'on', '1'].includes(written)) return true;
  return ['false', 'no', 'off', '0'].includes(written) ? false : refuse('readonly', raw, 'true or false');
}

function readSubpath(raw: string): string {
  const parts = raw.split('/');
  const isPlain = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && isShort(part);
  const isSafe = raw.length <= LONGEST_PATH && raw.isWellFormed() && !/\p{Cc}/u.test(raw);
  if (raw === '' || (isSafe && parts.every(isPlain))) return raw;
  return refuse('subpath', raw, 'a relative path like data/main, without "..", empty parts or a leading "/"');
}

function isShort(part: string): boolean {
  return new TextEncoder().encode(part).length <= LONGEST_PART;
}
