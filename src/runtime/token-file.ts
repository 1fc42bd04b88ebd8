import { createHash } from 'node:crypto';
import { ConfigError } from '../errors.ts';
import type { Log } from './log.ts';

/** A file now, which is read again when it has changed; see host/watched-secret. */
export interface WatchedFile {
  /** `mode`: permission bits. `mark`: another one after every change. */
  read(): Promise<{ readonly text: string; readonly mode: number; readonly mark: string }>;
}

export interface TokenFileParts<T> {
  /** Its path, for messages. */
  readonly file: string;
  readonly source: WatchedFile;
  /** Throws ConfigError where the text has a mistake. */
  readonly parse: (text: string, of: GuardedFile) => T;
  readonly log: Log;
  /** For the log: that none holds, and that they were read again. */
  readonly words: { readonly noneHolds: string; readonly readAgain: string };
}

export interface GuardedFile {
  readonly file: string;
  /** Permission bits. */
  readonly mode: number;
}

/** The tokens that a file says now, parsed once for each content. */
export class TokenFile<T> {
  readonly #parts: TokenFileParts<T>;
  #last: { readonly mark: string; readonly tokens: T | ConfigError } | undefined;

  constructor(parts: TokenFileParts<T>) {
    this.#parts = parts;
  }

  /**
   * Of the file as it is now. Rejects with ConfigError where it cannot be read or has mistakes: tokens that somebody took out of it must
   * not go on because he misspelt something else.
   */
  async current(): Promise<T> {
    const { file, source } = this.#parts;
    const now = await source.read().catch((cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      return new ConfigError(`cannot read tokens file "${file}": ${code}`, { cause });
    });
    const mark = now instanceof ConfigError ? now.message : now.mark;
    const last = this.#last?.mark === mark ? this.#last : this.#take(mark, now);
    if (last.tokens instanceof ConfigError) throw last.tokens;
    return last.tokens;
  }

  #take(
    mark: string,
    now: ConfigError | Awaited<ReturnType<WatchedFile['read']>>,
  ): { readonly tokens: T | ConfigError } {
    const { file, log, words } = this.#parts;
    const isFirst = this.#last === undefined;
    const tokens = now instanceof ConfigError ? now : this.#parsed(now);
    this.#last = { mark, tokens };
    if (tokens instanceof ConfigError) log.error({ file, error: tokens.message }, words.noneHolds);
    else if (!isFirst) log.info({ file }, words.readAgain);
    return this.#last;
  }

  #parsed({ text, mode }: { readonly text: string; readonly mode: number }): T | ConfigError {
    const { file, parse } = this.#parts;
    try {
      return parse(text, { file, mode });
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }
}

/** What is kept of a token, and compared in constant time. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

const BY_OTHERS_WRITABLE = 0o022;
const BY_OTHERS_READABLE = 0o044;

/**
 * Throws ConfigError where others than its owner can change the file, or read it although it holds tokens as they are (`isPlain`);
 * `remedy` says what else than chmod helps then.
 */
export function assertGuarded({ file, mode }: GuardedFile, isPlain: boolean, remedy?: string): void {
  const shown = mode.toString(8).padStart(4, '0');
  if ((mode & BY_OTHERS_WRITABLE) !== 0)
    throw new ConfigError(`tokens file "${file}" can be changed by others (mode ${shown}); chmod 600 it`);
  if (isPlain && (mode & BY_OTHERS_READABLE) !== 0)
    throw new ConfigError(
      `tokens file "${file}" holds a token as it is and can be read by others (mode ${shown}); chmod 600 it${remedy === undefined ? '' : `, or ${remedy}`}`,
    );
}
