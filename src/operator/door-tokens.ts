import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '../errors.ts';
import type { Log } from '../runtime/log.ts';

/** The file now, which is read again when it has changed; see host/watched-secret. */
export interface WatchedTokens {
  read(): Promise<{ readonly text: string; readonly mode: number; readonly mark: string }>;
}

const TOKEN = /^[\w.~+/=-]{32,512}$/;
const HASHED = /^sha256:([0-9a-fA-F]{64})$/;
const MOST_TOKENS = 16;
const BY_OTHERS_WRITABLE = 0o022;
const BY_OTHERS_READABLE = 0o044;

type Known = readonly Buffer[];

/** The tokens with which a steward may come in, of which only hashes are kept. */
export class DoorTokens {
  readonly #file: string;
  readonly #source: WatchedTokens;
  readonly #log: Log;
  #last: { readonly mark: string; readonly known: Known | ConfigError } | undefined;

  constructor(file: string, source: WatchedTokens, log: Log) {
    this.#file = file;
    this.#source = source;
    this.#log = log;
  }

  /**
   * Whether the file holds this token now. Takes as long whichever it is, and however much of it is right. Rejects with ConfigError where the file
   * cannot be read or has a mistake: no token holds then, because somebody may just have taken one out.
   */
  async has(offered: string): Promise<boolean> {
    const digest = digestOf(offered);
    let isKnown = false;
    for (const known of await this.#current()) if (timingSafeEqual(known, digest)) isKnown = true;
    return isKnown;
  }

  async #current(): Promise<Known> {
    const now = await this.#source.read().catch((cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      return new ConfigError(`cannot read tokens file "${this.#file}": ${code}`, { cause });
    });
    const mark = now instanceof ConfigError ? now.message : now.mark;
    if (this.#last?.mark !== mark) this.#take(mark, now instanceof ConfigError ? now : this.#parsed(now));
    const known = this.#last?.known ?? [];
    if (known instanceof ConfigError) throw known;
    return known;
  }

  #take(mark: string, known: Known | ConfigError): void {
    const isFirst = this.#last === undefined;
    this.#last = { mark, known };
    const facts = { file: this.#file };
    if (known instanceof ConfigError)
      this.#log.error({ ...facts, error: known.message }, "no token holds now at the steward's door");
    else if (!isFirst) this.#log.info(facts, "tokens of the steward's door read again");
  }

  #parsed({ text, mode }: { readonly text: string; readonly mode: number }): Known | ConfigError {
    try {
      return readTokens(text, { file: this.#file, mode });
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }
}

/** A token as it is, of a file that holds no other. Throws ConfigError. */
export function onlyToken(text: string, of: { readonly file: string; readonly mode: number }): string {
  const [token, ...more] = linesOf(text);
  if (token === undefined || more.length > 0 || !TOKEN.test(token))
    throw new ConfigError(
      `tokens file "${of.file}" does not hold one token as it is: 32 to 512 letters, digits and _ . ~ + / = -, as openssl rand -hex 32 makes them`,
    );
  assertGuarded({ ...of, isPlain: true });
  return token;
}

function readTokens(text: string, of: { readonly file: string; readonly mode: number }): Known {
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
  assertGuarded({ ...of, isPlain: lines.some((line) => !HASHED.test(line)) });
  return known;
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function assertGuarded({
  file,
  mode,
  isPlain,
}: {
  readonly file: string;
  readonly mode: number;
  readonly isPlain: boolean;
}): void {
  const shown = mode.toString(8).padStart(4, '0');
  if ((mode & BY_OTHERS_WRITABLE) !== 0)
    throw new ConfigError(`tokens file "${file}" can be changed by others (mode ${shown}); chmod 600 it`);
  if (isPlain && (mode & BY_OTHERS_READABLE) !== 0)
    throw new ConfigError(
      `tokens file "${file}" holds a token as it is and can be read by others (mode ${shown}); chmod 600 it`,
    );
}
