import { posix } from 'node:path';

import * as z from 'zod';

import { InvalidRequestError } from '../errors.ts';
import { parseChoice, parseYesNo } from '../units/choice.ts';
import { formatDuration, parseDuration } from '../units/duration.ts';
import { quote } from '../units/quote.ts';
import { CLASS_NAME } from '../volumes/options/class-options.ts';
import { Secret } from './secret.ts';

/*
 * How settings are written. Each field takes the text of an environment variable; those that have a natural JSON form
 * take that as well, for the settings file. Issues are phrased to follow the setting's name.
 */

const refuse = (why: string): never => {
  throw new InvalidRequestError(why);
};

/** A field that is text and means what `parse` makes of it; InvalidRequestError becomes the field's issue. */
export function text<T>(parse: (raw: string) => T) {
  return z.string({ error: 'must be a string' }).transform((raw, issues) => {
    try {
      return parse(raw);
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      issues.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

export const plain = () => z.string({ error: 'must be a string' });

export const secret = () => z.string({ error: 'must be a string' }).transform((raw) => new Secret(raw));

const SHORTEST_TOKEN = 16;

/** A secret that travels in a header and in an address, and that nobody shall guess. */
export const token = () =>
  text((raw) =>
    /^[\w.~+/=-]+$/.test(raw) && raw.length >= SHORTEST_TOKEN
      ? new Secret(raw)
      : refuse(
          `is not ${SHORTEST_TOKEN} or more letters, digits and _ . ~ + / = -; make one with openssl rand -hex 32`,
        ),
  );

/** The same, where the settings file may hold a number. */
export function textOrNumber<T>(parse: (raw: string) => T) {
  return z
    .union([z.string(), z.number()], { error: 'must be a string or a number' })
    .transform(String)
    .pipe(text(parse));
}

/** As parseChoice. */
export function choice<Word extends string>(
  words: readonly Word[],
  aliases: Readonly<Record<string, Word>> = {},
) {
  return text((raw) => parseChoice(raw, words, aliases));
}

export const yesOrNo = () => z.union([text(parseYesNo), z.boolean()], { error: issueOfText });

/** zod words the failure of a union as "Invalid input"; the text branch says what is wrong. */
function issueOfText(issue: { code?: string | undefined; errors?: z.core.$ZodIssue[][] }): string {
  const said = issue.errors?.flat().find((inner) => inner.code === 'custom')?.message;
  return said ?? 'has the wrong type';
}

export function wholeNumber(least: number, most: number) {
  const inRange = (value: number) =>
    Number.isInteger(value) && value >= least && value <= most
      ? value
      : refuse(`${quote(String(value))} is not a whole number from ${least} to ${most}`);
  return z
    .union([z.string(), z.number()], { error: 'must be a whole number' })
    .transform(String)
    .pipe(text((raw) => (/^\d{1,15}$/.test(raw) ? inRange(Number(raw)) : inRange(Number.NaN))));
}

/** Milliseconds. */
export function duration(leastMs: number, mostMs: number) {
  return text((raw) => {
    const durationMs = parseDuration(raw);
    if (durationMs >= leastMs && durationMs <= mostMs) return durationMs;
    return refuse(`${quote(raw)} is not from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`);
  });
}

/** Milliseconds; 0 for '0' and 'off'. */
export function durationOrOff(leastMs: number, mostMs: number) {
  return z
    .union([z.literal(0), z.string()], { error: 'must be a time like 24h, or 0' })
    .transform(String)
    .pipe(
      text((raw) => {
        const durationMs = /^(0[a-z]*|off)$/i.test(raw) ? 0 : parseDuration(raw);
        if (durationMs === 0 || (durationMs >= leastMs && durationMs <= mostMs)) return durationMs;
        return refuse(
          `${quote(raw)} is not 0, nor from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`,
        );
      }),
    );
}

/** Where to listen: "host:port", "[::1]:port"; a port alone is one of the loopback. */
export const listenAddress = () =>
  z
    .union([z.string(), z.number()], { error: 'must be an address' })
    .transform(String)
    .pipe(text(readListenAddress));

/** Undefined for 'off'. */
export const listenAddressOrOff = () =>
  z
    .union([z.string(), z.number()], { error: 'must be an address or off' })
    .transform(String)
    .pipe(text((raw) => (raw.toLowerCase() === 'off' ? undefined : readListenAddress(raw))));

function readListenAddress(raw: string): string {
  const [, host = '', port = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(raw) ?? [];
  const address = `${host === '' ? '127.0.0.1' : host}:${port}`;
  const url = URL.parse(`http://${address}`);
  const isPlain = url !== null && url.username === '' && url.password === '' && url.pathname === '/';
  if (isPlain && port !== '' && Number(port) > 0) return address;
  return refuse(`${quote(raw)} is not an address like 127.0.0.1:9470 or :9470`);
}

/** Without a slash at the end. */
export const absolutePath = () =>
  text((raw) => {
    if (!raw.startsWith('/') || raw.includes('\0')) return refuse(`${quote(raw)} is not an absolute path`);
    return raw === '/' ? raw : posix.normalize(raw).replace(/\/+$/, '');
  });

/** Upper-case, as the array writes it. [goscaleio] */
export const guid = () =>
  text((raw) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(raw)
      ? raw.toUpperCase()
      : refuse(`${quote(raw)} is not a GUID like 271BAD82-08EE-44F2-A2B1-7E2787C27BE1`),
  );

const PREFIX_LENGTH = 12;

/** 'none' is the empty prefix, because an empty setting counts as not set. */
export const namePrefix = () =>
  text((raw) => {
    if (raw === 'none') return '';
    const isFit = /^[A-Za-z0-9][A-Za-z0-9_.+=:@,%#-]*$/.test(raw) && !raw.includes('..');
    if (isFit && raw.length <= PREFIX_LENGTH) return raw;
    return refuse(
      `${quote(raw)} is not 1 to ${PREFIX_LENGTH} letters, digits and _ . + = : @ , % # - with a letter or digit ` +
        'first; write none for no prefix',
    );
  });

/** Undefined for 'off'; else what the array takes as a name, with {host} in it or not. */
export const sdcNameTemplate = () =>
  text((raw) => {
    if (raw.toLowerCase() === 'off') return undefined;
    if (/^[\x21-\x7e]+$/.test(raw)) return raw;
    return refuse(`${quote(raw)} holds more than letters, digits and punctuation`);
  });

/** Gateways in the order to try them, each without a path and without /api, which REX-Ray wants at the end. */
export const endpoints = () =>
  z
    .union([z.string(), z.array(z.string())], { error: 'must be a URL or a list of them' })
    .transform((raw) => (typeof raw === 'string' ? raw : raw.join(',')))
    .pipe(
      text((raw) => {
        const parts = raw.split(',').map((part) => part.trim());
        return [...new Set(parts.filter((part) => part !== '').map(readEndpoint))];
      }),
    )
    .refine((list) => list.length > 0, { error: 'holds no URL' });

function readEndpoint(raw: string): string {
  const url = URL.parse(raw);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return refuse(`${quote(raw)} is not a URL like https://gateway.example.com`);
  }
  // The text is not shown here, because it may hold a password.
  if (url.username !== '' || url.password !== '') {
    return refuse('holds a user or password; use SCALEIO_USERNAME and SCALEIO_PASSWORD');
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/api$/, '');
  if (path !== '' || url.search !== '' || url.hash !== '') {
    return refuse(
      `${quote(raw)} has more than a host and a port; write it like https://gateway.example.com:443`,
    );
  }
  return url.origin;
}

const LIKE_CLASSES = 'a JSON object such as {"gold": {"pool": "ssd", "iops": 5000}}';
const someObject = z.record(z.string(), z.unknown());
const optionText = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Sets of options by name: a JSON object of objects, which a variable holds as text. What the options are is not looked at. */
export const optionSets = () =>
  z
    .union([z.string(), someObject], { error: `must be ${LIKE_CLASSES}` })
    .transform((raw) => (typeof raw === 'string' ? raw : JSON.stringify(raw)))
    .pipe(text(readOptionSets));

function readOptionSets(raw: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const sets = someObject.safeParse(jsonOf(raw));
  if (!sets.success) return refuse(`is not ${LIKE_CLASSES}`);
  return Object.fromEntries(
    Object.entries(sets.data).map(([name, options]) => {
      if (!CLASS_NAME.test(name))
        return refuse(
          `${quote(name)} is no name for a class: 1 to 31 letters, digits and _ . -, with a letter or digit first`,
        );
      const set = z.record(z.string(), optionText).safeParse(options);
      if (set.success) return [name, set.data];
      return refuse(
        `class ${quote(name)} is not a JSON object of options, each a text, a number, true or false`,
      );
    }),
  );
}

function jsonOf(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
