import type { WriteStream } from 'node:tty';

/** Thrown by the step that runs when somebody interrupts the program. */
export class InterruptedError extends Error {
  constructor() {
    super('interrupted');
    this.name = 'InterruptedError';
  }
}

/**
 * Prints each step with what it does, what it found and how long it took: in colour on a terminal, as plain lines
 * elsewhere.
 */
export class Steps {
  readonly #out: WriteStream;
  #count = 0;
  #running: Promise<unknown> = Promise.resolve();
  #interrupted: Promise<never>;
  #interrupt: () => void = () => undefined;

  constructor(out: WriteStream) {
    this.#out = out;
    this.#interrupted = new Promise((_, reject) => {
      this.#interrupt = () => {
        reject(new InterruptedError());
      };
    });
    this.#interrupted.catch(() => undefined); // every step sees it; before the first one there is nobody to tell
  }

  /** Lets the step that runs, and every later one, end with InterruptedError. */
  interrupt(): void {
    this.#interrupt();
  }

  /** Returns when the step that was running at the interrupt has really ended, however it did. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#running]);
  }

  /** Runs one step. `shown` are the commands or remarks that belong to it. */
  async run<T>(title: string, shown: readonly string[], act: () => Promise<T>): Promise<T> {
    this.#count += 1;
    this.#out.write(`\n${this.#bold(`${this.#count}. ${title}`)}\n`);
    for (const line of shown) this.#out.write(`   ${this.#dim(line)}\n`);
    const start = performance.now();
    const running = act();
    this.#running = running;
    const result = await Promise.race([running, this.#interrupted]);
    this.#out.write(`   ${this.#green('done')} in ${seconds(performance.now() - start)}\n`);
    return result;
  }

  /** Prints what a program said, indented. */
  show(text: string): void {
    for (const line of text.split('\n')) this.#out.write(`   | ${line}\n`);
  }

  say(text: string): void {
    this.#out.write(`${text}\n`);
  }

  #bold(text: string): string {
    return this.#style('1', text);
  }

  #dim(text: string): string {
    return this.#style('2', text);
  }

  #green(text: string): string {
    return this.#style('32', text);
  }

  #style(code: string, text: string): string {
    return this.#out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;
}
