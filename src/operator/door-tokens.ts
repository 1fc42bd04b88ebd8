import { timingSafeEqual } from 'node:crypto';
import { ConfigError } from '../errors.ts';
import type { Log } from '../runtime/log.ts';
import {
  assertGuarded,
  digestOf,
  TokenFile,
  type GuardedFile,
  type WatchedFile,
} from '../runtime/token-file.ts';

const TOKEN = /^[\w.~+/=-]{32,512}$/;
const HASHED = /^sha256:([0-9a-fA-F]{64})$/;
const MOST_TOKENS = 16;
/** What else helps than chmod. */
const REMEDY = 'have it hold sha256: and its hash';

type Known = readonly Buffer[];

/** The tokens with which a steward may come in, of which only hashes are kept. */
export class DoorTokens {
  readonly #file: TokenFile<Known>;

  constructor(file: string, source: WatchedFile, log: Log) {
    const words = {
      noneHolds: "no token holds now at the steward's door",
      readAgain: "tokens of the steward's door read again",
    };
    this.#file = new TokenFile({ file, source, parse: readTokens, log, words });
  }

  /**
   * Whether the file holds this token now. Takes as long whichever it is, and however much of it is right. Rejects with ConfigError where the file
   * cannot be read or has a mistake: no token holds then, because somebody may just have taken one out.
   */
  async has(offered: string): Promise<boolean> {
    const digest = digestOf(offered);
    let isKnown = false;
    for (const known of await this.#file.current()) if (timingSafeEqual(known, digest)) isKnown = true;
    return isKnown;
  }
}

/** A token as it is, of a file that holds no other. Throws ConfigError. */
export function onlyToken(text: string, of: GuardedFile): string {
  const [token, ...more] = linesOf(text);
  if (token === undefined || more.length > 0 || !TOKEN.test(token))
    throw new ConfigError(
      `tokens file "${of.file}" does not hold one token as it is: 32 to 512 letters, digits and _ . ~ + / = -, as openssl rand -hex 32 makes them`,
    );
  assertGuarded(of, true);
  return token;
}

function readTokens(text: string, of: GuardedFile): Known {
  const lines = linesOf(text);
  if (lines.length === 0 || lines.length > MOST_TOKENS)
    throw new ConfigError(
      `tokens file "${of.file}" holds ${lines.length} tokens; it takes 1 to ${MOST_TOKENS}, a line each`,
    );
  const known = lines.map((line, index) => {
    const hash = HASHED.exec(line)?.[1];
    if (hash !== undefined) return Buffer.from(hash, 'hex');
    if (TOKEN.test(line)) return digestOf(line);
    // What stands there may be most of a token, so it is not shown.
    throw new ConfigError(
      `tokens file "${of.file}" has a mistake: token ${index + 1} is neither sha256: and 64 hex digits, nor 32 to 512 letters, digits and _ . ~ + / = -`,
    );
  });
  assertGuarded(
    of,
    lines.some((line) => !HASHED.test(line)),
    REMEDY,
  );
  return known;
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
