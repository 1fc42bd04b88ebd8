import * as z from 'zod';
import { InvalidRequestError } from '../errors.ts';
import { parseDuration } from '../units/duration.ts';
import { parseSize } from '../units/size.ts';

/*
 * What the steward may do, as its operator declares it. Everything that changes the array is off until `act` is true
 * and the section for it is there. Issues are phrased to follow the field's place.
 */

function text<T>(parse: (raw: string) => T, expected: string) {
  return z.string({ error: `must be ${expected}` }).transform((raw, issues) => {
    try {
      return parse(raw);
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      issues.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** Milliseconds. */
function duration(leastMs: number) {
  return text((raw) => {
    const ms = parseDuration(raw);
    if (ms >= leastMs) return ms;
    throw new InvalidRequestError(`"${raw}" is shorter than ${leastMs} ms`);
  }, 'a time like 30s or 10m');
}

/** KiB. */
const size = () =>
  text((raw) => Math.ceil(parseSize(raw, { plainUnit: 'refuse' }) / 1024), 'a size like 4TiB');

const percent = () => z.number({ error: 'must be a number' }).min(0).max(100);

const name = () => z.string({ error: 'must be text' }).min(1, { error: 'is empty' });

/** The kernel deals out /dev/sdX anew at each boot, so such a path may be another disk tomorrow. */
export const stablePath = () =>
  z.string({ error: 'must be a path' }).regex(/^\/dev\/(disk\/by-[a-z]+|mapper)\/[A-Za-z0-9_.:+@=-]+$/, {
    error: 'is not a stable path like /dev/disk/by-id/wwn-0x5000c500a1b2c3d4',
  });

const webhookUrl = () =>
  z.url({ protocol: /^https?$/, error: 'is not a URL like https://alerts.example.com/scaleio' });

const absolutePath = () =>
  z.string({ error: 'must be a path' }).startsWith('/', { error: 'is not an absolute path' });

const webhook = z.strictObject({
  url: webhookUrl(),
  /** File with the key that requests are signed with. */
  secretFile: absolutePath(),
  /** For one attempt, ms. */
  timeout: duration(100).prefault('10s'),
  /** Attempts in all, with growing pauses between them. */
  attempts: z.int({ error: 'must be a whole number' }).min(1).max(20).prefault(5),
});

const spareDevice = z.strictObject({
  /** SDS by name or id. */
  sds: name(),
  path: stablePath(),
});

const growth = z
  .strictObject({
    /** Used percent at which a device is added. */
    above: percent(),
    cooldown: duration(1000).prefault('10m'),
    /** Rounds in a row that must say so. */
    confirm: z.int({ error: 'must be a whole number' }).min(1).max(100).prefault(2),
    /** Devices that the pool may have in all. */
    maxDevices: z.int({ error: 'must be a whole number' }).min(1),
    /** Raw capacity that the pool may have in all, KiB. */
    maxCapacity: size().optional(),
    /** How long a disk that could not be added is left alone. */
    retryFailedAfter: duration(1000).prefault('1h'),
    devices: z.array(spareDevice).prefault([]),
    /** Asked for a disk when no declared one is left. */
    provider: webhook.optional(),
  })
  .refine(({ devices, provider }) => devices.length > 0 || provider !== undefined, {
    error: 'names neither devices nor a provider, so nothing could be added',
    path: ['devices'],
  });

const pool = z
  .strictObject({
    /** Pool by name or id. */
    pool: name(),
    /** Protection domain by name or id, where pool names repeat. */
    domain: name().optional(),
    warn: percent().prefault(80),
    critical: percent().prefault(90),
    /** Points below a level at which it ends. */
    hysteresis: percent().prefault(2),
    /** Warn also when the pool will be full this soon. */
    warnFullWithin: duration(60_000).optional(),
    grow: growth.optional(),
  })
  .refine(({ warn, critical }) => warn <= critical, { error: 'is above critical', path: ['warn'] });

const cleanup = z.strictObject({
  /** Between two looks at all volumes and SDCs. */
  every: duration(100).prefault('10m'),
  /** How long ago an unfinished volume was made, as the array says; a Create takes two minutes at most. */
  provisionalOlderThan: duration(3_600_000).prefault('24h'),
  /** How long the steward itself must have seen it so. */
  seenFor: duration(600_000).prefault('1h'),
  /** Looks in a row that must say so. */
  confirm: z.int({ error: 'must be a whole number' }).min(2).max(100).prefault(3),
  /** Also what does not tell whose it is. */
  ofUnknownHosts: z.boolean({ error: 'must be true or false' }).prefault(false),
  deadSdcMappings: z.boolean({ error: 'must be true or false' }).prefault(false),
  /** How long the steward itself must have missed an SDC. */
  sdcGoneFor: duration(600_000).prefault('24h'),
  /** How long what could not be removed is left alone. */
  retryFailedAfter: duration(1000).prefault('1h'),
});

const trash = z.strictObject({
  /** Between two looks at what was removed. */
  every: duration(100).prefault('10m'),
  /** Used percent of a pool above which volumes of its trash are erased before their time; not there: never. */
  eraseAbove: percent().optional(),
  /** What was removed more recently is never erased before its time. */
  leastAge: duration(60_000).prefault('1h'),
});

/** As it stands in a URL. */
const hostAddress = () =>
  z.string({ error: 'must be text' }).refine(
    (raw) => {
      const url = /:\d{1,5}$/.test(raw) ? URL.parse(`http://${raw}`) : null;
      return url !== null && url.username === '' && url.pathname === '/' && url.search + url.hash === '';
    },
    { error: 'is not a host and a port like node1.example.com:9490' },
  );

const hosts = z.strictObject({
  /** Authorities of the certificates that hosts show, PEM. */
  caFile: absolutePath(),
  /** The token that is shown to hosts, as it is. */
  tokenFile: absolutePath(),
  doors: z
    .array(
      z.strictObject({
        /** The host as the array knows it: its name, address or id. */
        host: name(),
        /** Where its plugin listens (SCALEIO_DOOR_ADDRESS). */
        address: hostAddress(),
      }),
      { error: 'must be a list' },
    )
    .min(1, { error: 'is empty' })
    .max(1000),
});

/** The policy file. */
export const policySchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }),
  /** False: dry run. The steward decides and says what it would do, and changes nothing. */
  act: z.boolean({ error: 'must be true or false' }).prefault(false),
  interval: duration(100).prefault('60s'),
  /** How often a level that lasts is told again. */
  remindEvery: duration(1000).prefault('6h'),
  webhooks: z.array(webhook).prefault([]),
  pools: z.array(pool).min(1, { error: 'is empty' }),
  /** Off unless it is there. */
  cleanup: cleanup.optional(),
  /** What hosts have removed and keep for a grace. Where it is not there it is shown, and erased by the hosts alone. */
  trash: trash.optional(),
  /** Hosts that may be asked for what the steward cannot do. Where it is not there, none is. */
  hosts: hosts.optional(),
});

/** How often the trash is looked at where the policy has no section for it. */
export const TRASH_STANDARD = trash.parse({});

export type Policy = Readonly<z.output<typeof policySchema>>;
export type PoolPolicy = Policy['pools'][number];
export type GrowthPolicy = NonNullable<PoolPolicy['grow']>;
export type CleanupPolicy = NonNullable<Policy['cleanup']>;
export type TrashPolicy = NonNullable<Policy['trash']>;
export type HostsPolicy = NonNullable<Policy['hosts']>;
export type WebhookPolicy = Policy['webhooks'][number];
