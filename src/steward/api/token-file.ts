import { ConfigError } from '../../errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Tokens } from './tokens.ts';

/** The file now, which is read again when it has changed; see host/watched-secret. */
export interface WatchedFile {
  read(): Promise<{ readonly text: string; readonly mode: number; readonly mark: string }>;
}

/** The tokens that hold now. */
export class TokenFile {
  readonly #file: string;
  readonly #source: WatchedFile;
  readonly #log: Log;
  #last: { readonly mark: string; readonly tokens: Tokens | ConfigError } | undefined;

  constructor(file: string, source: WatchedFile, log: Log) {
    this.#file = file;
    this.#source = source;
    this.#log = log;
  }

  /**
   * Of the file as it is now. Rejects with ConfigError where it cannot be read or has mistakes: tokens that somebody took out of it must
   * not go on because he misspelt something else.
   */
  async current(): Promise<Tokens> {
    const now = await this.#source.read().catch((cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      return new ConfigError(`cannot read tokens file "${this.#file}": ${code}`, { cause });
    });
    const mark = now instanceof ConfigError ? now.message : now.mark;
    if (this.#last?.mark !== mark) this.#take(mark, now instanceof ConfigError ? now : this.#parsed(now));
    const tokens = this.#last?.tokens;
    if (tokens instanceof Tokens) return tokens;
    throw tokens ?? new ConfigError(`tokens file "${this.#file}" was not read`);
  }

  #take(mark: string, tokens: Tokens | ConfigError): void {
    const isFirst = this.#last === undefined;
    this.#last = { mark, tokens };
    const facts = { file: this.#file };
    if (tokens instanceof ConfigError)
      this.#log.error({ ...facts, error: tokens.message }, 'no token of the API holds now');
    else if (!isFirst) this.#log.info(facts, 'tokens of the API read again');
  }

  #parsed({ text, mode }: { readonly text: string; readonly mode: number }): Tokens | ConfigError {
    try {
      return new Tokens(text, this.#file, mode);
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }
}
