import { CancelledError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { quote } from '../units/quote.ts';
import type { VolumeDriver } from './volume-driver.ts';

/** Longer than any call takes that will end: its own deadline is 100 s at most. */
const PATIENCE_MS = 120_000;

/** A driver that another can take the place of while engines call it. */
export class ReplaceableDriver implements VolumeDriver {
  #current: VolumeDriver;
  /** Calls that the current one has begun. */
  readonly #underWay = new Map<Promise<unknown>, string>();
  /** While one takes the place of another, new calls wait here. Never rejects. */
  #change: Promise<void> = Promise.resolve();
  readonly #clock: Pick<Clock, 'sleep'>;

  constructor(first: VolumeDriver, clock: Pick<Clock, 'sleep'>) {
    this.#current = first;
    this.#clock = clock;
  }

  /**
   * Lets the calls under way end, holds back new ones, and hands them to what `next` resolves to. When that rejects, the
   * current driver goes on, and this rejects too; also, with CancelledError that names them, when calls do not end within two minutes.
   */
  async replace(next: () => Promise<VolumeDriver>): Promise<void> {
    const changed = this.#change.then(async () => {
      await this.#untilIdle();
      this.#current = await next();
    });
    this.#change = changed.catch(() => undefined);
    await changed;
  }

  create(...call: Parameters<VolumeDriver['create']>): Promise<void> {
    return this.#run(`Create of ${quote(call[0])}`, (driver) => driver.create(...call));
  }

  remove(...call: Parameters<VolumeDriver['remove']>): Promise<void> {
    return this.#run(`Remove of ${quote(call[0])}`, (driver) => driver.remove(...call));
  }

  mount(...call: Parameters<VolumeDriver['mount']>): Promise<string> {
    return this.#run(`Mount of ${quote(call[0])}`, (driver) => driver.mount(...call));
  }

  unmount(...call: Parameters<VolumeDriver['unmount']>): Promise<void> {
    return this.#run(`Unmount of ${quote(call[0])}`, (driver) => driver.unmount(...call));
  }

  path(...call: Parameters<VolumeDriver['path']>): Promise<string> {
    return this.#run(`Path of ${quote(call[0])}`, (driver) => driver.path(...call));
  }

  get(...call: Parameters<VolumeDriver['get']>): ReturnType<VolumeDriver['get']> {
    return this.#run(`Get of ${quote(call[0])}`, (driver) => driver.get(...call));
  }

  list(...call: Parameters<VolumeDriver['list']>): ReturnType<VolumeDriver['list']> {
    return this.#run('List', (driver) => driver.list(...call));
  }

  /** Has other work take its turn among the calls: it is waited for before another driver takes this one's place, and waits meanwhile. */
  run<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#run(what, work);
  }

  /** Two drivers must not be at work at once, so it is better to try again than to go on without the calls' end. */
  async #untilIdle(): Promise<void> {
    const ended = new AbortController();
    const idle = Promise.allSettled(this.#underWay.keys());
    const tooLong = this.#clock.sleep(PATIENCE_MS, ended.signal);
    try {
      await Promise.race([idle, tooLong]);
    } finally {
      ended.abort();
      await Promise.allSettled([tooLong]);
    }
    if (this.#underWay.size === 0) return;
    const calls = [...this.#underWay.values()].join(', ');
    throw new CancelledError(
      `calls under way have not ended within ${PATIENCE_MS / 1000} s: ${calls}; something that they wait for hangs, such as a device`,
    );
  }

  async #run<T>(what: string, call: (driver: VolumeDriver) => Promise<T>): Promise<T> {
    await this.#change;
    const running = call(this.#current);
    this.#underWay.set(running, what);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}
