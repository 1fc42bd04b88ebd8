import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { ConfigError } from '../../errors.ts';
import { assertGuarded, digestOf, type GuardedFile } from '../../runtime/token-file.ts';
import { declaredIn } from '../policy-file.ts';
import { NamePattern } from './name-pattern.ts';

/** viewer: reads. operator: reads and changes. */
export type Role = 'viewer' | 'operator';

/** What whoever shows a token may do. */
export interface Grant {
  readonly name: string;
  readonly role: Role;
  /** The volumes that it may see and touch, as source and as target. */
  readonly volumes: NamePattern;
  /** The pools that it may have a declared disk added to, by name or as domain/name. */
  readonly pools: NamePattern;
  /** Requests. */
  readonly perMinute: number;
}

const SHORTEST_TOKEN = 32;
const MOST_TOKENS = 1000;

const pattern = () =>
  z
    .string({ error: 'must be text' })
    .min(1, { error: 'is empty' })
    .max(255, { error: 'is longer than a name can be' });

/** One or a list of them. */
const patterns = () =>
  z
    .union([pattern(), z.array(pattern())], { error: 'must be a name or a list of names, with * and ?' })
    .transform((written) => new NamePattern([written].flat()));

const grant = z
  .strictObject({
    name: z
      .string({ error: 'must be text' })
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, { error: 'is not 1 to 64 letters, digits and _ . -' }),
    token: z
      .string({ error: 'must be text' })
      .regex(/^[\w.~+/=-]+$/, { error: 'holds more than letters, digits and _ . ~ + / = -' })
      .min(SHORTEST_TOKEN, { error: `is shorter than ${SHORTEST_TOKEN} characters` })
      .max(512, { error: 'is longer than 512 characters' })
      .optional(),
    sha256: z
      .string({ error: 'must be text' })
      .regex(/^[0-9a-fA-F]{64}$/, { error: 'is not 64 hex digits' })
      .optional(),
    role: z.enum(['viewer', 'operator'], { error: 'must be viewer or operator' }),
    volumes: patterns(),
    pools: patterns().prefault([]),
    perMinute: z.int({ error: 'must be a whole number' }).min(1).max(1_000_000).prefault(600),
  })
  .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), {
    error: 'needs either token or sha256',
  });

const tokensFile = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }),
  tokens: z.array(grant, { error: 'must be a list' }).min(1, { error: 'is empty' }).max(MOST_TOKENS),
});

/** The tokens of a file, of which only hashes are kept. */
export class Tokens {
  readonly #known: readonly { readonly digest: Buffer; readonly grant: Grant }[];

  /** Throws ConfigError that lists what is wrong in the text. */
  constructor(text: string, of: GuardedFile) {
    const { file } = of;
    const { tokens } = declaredIn(tokensFile, text, { what: 'tokens file', file });
    this.#known = tokens.map(({ token, sha256, ...rest }) => ({
      digest: token === undefined ? Buffer.from(sha256 ?? '', 'hex') : digestOf(token),
      grant: rest,
    }));
    assertDistinct(this.#known, file);
    assertGuarded(
      of,
      tokens.some(({ token }) => token !== undefined),
      'write sha256 in place of token',
    );
  }

  /** What the token grants; undefined for one that is not known. Takes as long whichever it is, and however much of it is right. */
  find(offered: string): Grant | undefined {
    const digest = digestOf(offered);
    let found: Grant | undefined;
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) found = known.grant;
    return found;
  }
}

function assertDistinct(
  known: readonly { readonly digest: Buffer; readonly grant: Grant }[],
  file: string,
): void {
  const names = new Set(known.map((one) => one.grant.name));
  const digests = new Set(known.map((one) => one.digest.toString('hex')));
  if (names.size === known.length && digests.size === known.length) return;
  const what = names.size < known.length ? 'name' : 'token';
  throw new ConfigError(`tokens file "${file}" has a ${what} twice; each needs its own`);
}
