export type PortName = 'array' | 'sdc' | 'filesystems' | 'journal';
export type Side = 'before' | 'midway' | 'after';

/** One place where a plugin's life can be stopped: around, or in the middle of, one call of one port. */
export interface Point {
  readonly number: number;
  readonly port: PortName;
  readonly method: string;
  readonly side: Side;
}

/** go on; die: this call and all later ones of the life never settle; an error: the call rejects with it. */
export type Verdict = 'go' | 'die' | Error;
export type Hook = (point: Point) => Verdict | Promise<Verdict>;

const NEVER = new Promise<never>(() => undefined);

export function describePoint({ number, port, method, side }: Point): string {
  return `${number} (${side} ${port}.${method})`;
}

/** Stands between one life of the plugin and its ports, and numbers every point it passes. */
export class Steps {
  hook: Hook = () => 'go';
  readonly points: Point[] = [];
  /** Set to keep in `observed` what the life is told. */
  isObserved = false;
  /** What the life has been told since; with it the life's own state is determined. */
  readonly observed: string[] = [];
  #dead = false;

  get isDead(): boolean {
    return this.#dead;
  }

  /** kill -9: nothing of this life happens any more. */
  kill(): void {
    this.#dead = true;
  }

  /** Resolves when the life may go on from here. */
  async pass(port: PortName, method: string, side: Side): Promise<void> {
    if (this.#dead) return NEVER;
    const point: Point = { number: this.points.length + 1, port, method, side };
    this.points.push(point);
    const verdict = await this.hook(point);
    if (verdict === 'die') this.#dead = true;
    // Another call of this life may have died while this one waited.
    if (this.isDead) return NEVER;
    if (verdict instanceof Error) throw verdict;
  }

  /** The port with its asynchronous methods stopping at points; `plain` are those that only read or are synchronous. */
  around<T extends object>(port: PortName, target: T, plain: readonly (keyof T)[]): T {
    const untouched = new Set<PropertyKey>(plain);
    return new Proxy(target, {
      get: (_target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (untouched.has(key)) return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        return (...args: unknown[]) =>
          this.#call(port, String(key), () => Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  }

  /** A clock that stops with the life. */
  aroundSleep(sleep: (ms: number, signal: AbortSignal) => Promise<void>): typeof sleep {
    return async (ms, signal) => {
      if (this.#dead) return NEVER;
      try {
        await sleep(ms, signal);
      } finally {
        if (this.isDead) await NEVER;
      }
    };
  }

  async #call(port: PortName, method: string, effect: () => Promise<unknown>): Promise<unknown> {
    await this.pass(port, method, 'before');
    let result: unknown;
    try {
      result = await effect();
    } catch (cause) {
      if (this.#dead) return NEVER;
      if (this.isObserved) this.observed.push(`${method}!${String(cause)}`);
      throw cause;
    }
    await this.pass(port, method, 'after');
    if (this.isObserved) this.observed.push(`${method}=${JSON.stringify(result)}`);
    return result;
  }
}
