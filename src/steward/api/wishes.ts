import * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { parseDuration } from '../../units/duration.ts';
import { readBandwidthKiBps, readIops, readSizeKiB } from '../../volumes/options/option-readers.ts';

/* What is asked for through the API, written as on the command line. */

const MINUTE_MS = 60_000;
const LONGEST_NAME = 255;

/** Text that means what `read` makes of it; what is wrong with it is said in the words of the command. */
function written<T>(read: (raw: string) => T) {
  return z.string().transform((raw, issues) => {
    try {
      return read(raw);
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      issues.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

function period(raw: string): number {
  const ms = parseDuration(raw, 'time');
  if (ms > 0) return ms;
  throw new InvalidRequestError('0 is no time; leave it out, or write it like 7d');
}

const name = () => z.string().min(1).max(LONGEST_NAME);

export const volumeParams = z.object({ name: name().describe('as its users write it') });
export const snapshotParams = z.object({ name: name(), snapshot: z.string().min(1).max(64) });
export const trashParams = z.object({ name: name().describe('the name that it had, or its id') });
export const poolParams = z.object({ pool: z.string().min(1).max(64).describe('name or id') });

export const changeHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[!-~]{1,128}$/, { error: 'is not 1 to 128 printable characters without spaces' })
    .optional()
    .describe('the same request with the same key is done once, and answered again'),
});

export const listQuery = z.object({
  search: z.string().max(200).default('').describe('a part of the name, whatever the case'),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  after: z.string().max(LONGEST_NAME).optional().describe('`next` of the answer before'),
});

export const domainQuery = z.object({
  domain: z.string().min(1).max(64).optional().describe('name or id, where pool names repeat'),
});

export const growBody = z.strictObject({
  size: written(readSizeKiB).describe('its new size, with a unit: 200GiB, 1.5TiB'),
});

export const limitBody = z
  .strictObject({
    iops: z
      .union([z.string(), z.int()])
      .transform(String)
      .pipe(written(readIops))
      .optional()
      .describe('I/O operations per second, at least 11; 0: no limit; not there: as it is'),
    bandwidth: written(readBandwidthKiBps)
      .optional()
      .describe('per second, whole MiB: 200MiB; 0: no limit; not there: as it is'),
  })
  .refine(({ iops, bandwidth }) => iops !== undefined || bandwidth !== undefined, {
    error: 'nothing to limit was given: use iops, bandwidth or both',
  });

export const snapshotBody = z.strictObject({
  volumes: z.array(name()).min(1).max(100).describe('all of one instant'),
  name: z.string().max(64).optional().describe('of the snapshot, at most 16 characters; default: the time'),
  expire: written(period).optional().describe('after which the steward removes it: 7d'),
  secure: written((raw) => Math.ceil(period(raw) / MINUTE_MS))
    .optional()
    .describe('until which nobody can remove it, at most 24d: 3d (3.0 and later)'),
  frozen: z
    .boolean()
    .default(false)
    .describe('true: not unless the file systems are still meanwhile, which takes the hosts that have them'),
});

export const undeleteBody = z.strictObject({
  as: name().optional().describe('what it shall be called; default: as before'),
});

export const createBody = z.strictObject({
  name: name(),
  from: name().optional().describe('a volume, or VOLUME@SNAPSHOT, of which it shall be a writable copy'),
  options: z
    .record(z.string().min(1).max(64), z.string().max(1024))
    .default({})
    .describe('as docker volume create takes them with -o'),
});

export const renameBody = z.strictObject({ to: name().describe('its new name') });

export const restoreBody = z.strictObject({
  snapshot: z.string().min(1).max(64),
  keep: written(period)
    .optional()
    .describe('how long what is there now is kept as a snapshot: 7d; default: until it is removed'),
});
