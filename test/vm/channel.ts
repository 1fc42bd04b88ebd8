import type { Duplex } from 'node:stream';
import type { GuestAnswer, GuestMessage } from './guest-protocol.ts';

interface Waiting {
  readonly resolve: (answer: GuestAnswer) => void;
  readonly reject: (reason: Error) => void;
}

type Unsent = { readonly argv: readonly string[]; readonly input?: string } | Request;

interface Request {
  /** A path, or HOST:PORT. */
  readonly at: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}

/** The test's end of a machine's serial line: asks the agent inside, whichever boot it lives in. */
export class Channel {
  readonly #waiting = new Map<number, Waiting>();
  readonly #boots: string[] = [];
  #line: Duplex | undefined;
  #said = '';
  #lastId = 0;
  #onBoot: (() => void) | undefined;

  /** From now on this is the machine's line. */
  attach(line: Duplex): void {
    this.#line = line;
    line
      .setEncoding('utf8')
      .on('data', (text: string) => {
        this.#take(text);
      })
      .on('error', () => line.destroy())
      .on('close', () => {
        this.#failAll('the machine went down meanwhile');
      });
  }

  /** Boot ids of the boots so far, the last one last. */
  get boots(): readonly string[] {
    return this.#boots;
  }

  /** Resolves with the boot id when the machine has booted more than `before` times. Rejects when it takes longer than `timeoutMs`. */
  async booted(before: number, timeoutMs: number): Promise<string> {
    if (this.#boots.length <= before) {
      const booted = Promise.withResolvers<undefined>();
      this.#onBoot = () => {
        booted.resolve(undefined);
      };
      const timer = setTimeout(() => {
        booted.reject(new Error(`the machine has not booted within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      await booted.promise.finally(() => {
        clearTimeout(timer);
      });
    }
    return this.#boots.at(-1) ?? '';
  }

  /** Rejects when the machine goes down before the answer, and after `timeoutMs`. */
  async ask(question: Unsent, timeoutMs: number): Promise<GuestAnswer> {
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<GuestAnswer>();
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs / 1000} s to ${JSON.stringify(question)}`));
    }, timeoutMs);
    this.#line?.write(`${JSON.stringify({ id, ...question })}\n`);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
  }

  close(): void {
    this.#line?.destroy();
  }

  #take(text: string): void {
    this.#said += text;
    const lines = this.#said.split('\n');
    this.#said = lines.pop() ?? '';
    for (const line of lines) {
      const message = parsed(line);
      if (message === undefined) continue;
      if ('bootId' in message) {
        this.#boots.push(message.bootId);
        this.#failAll('the machine went down meanwhile');
        this.#onBoot?.();
      } else this.#waiting.get(message.id)?.resolve(message);
    }
  }

  #failAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
  }
}

/** Undefined for an empty line, and for what a machine that lost power did not say to the end. */
function parsed(line: string): GuestMessage | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as GuestMessage;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
