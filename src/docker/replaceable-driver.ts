import type { VolumeDriver } from './volume-driver.ts';

/** A driver that another can take the place of while engines call it. */
export class ReplaceableDriver implements VolumeDriver {
  #current: VolumeDriver;
  /** Calls that the current one has begun. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** While one takes the place of another, new calls wait here. Never rejects. */
  #change: Promise<void> = Promise.resolve();

  constructor(first: VolumeDriver) {
    this.#current = first;
  }

  /**
   * Lets the calls under way end, holds back new ones, and hands them to what `next` resolves to. When that rejects, the
   * current driver goes on, and this rejects too.
   */
  async replace(next: () => Promise<VolumeDriver>): Promise<void> {
    const changed = this.#change.then(async () => {
      await Promise.allSettled(this.#underWay);
      this.#current = await next();
    });
    this.#change = changed.catch(() => undefined);
    await changed;
  }

  create(...call: Parameters<VolumeDriver['create']>): Promise<void> {
    return this.#run((driver) => driver.create(...call));
  }

  remove(...call: Parameters<VolumeDriver['remove']>): Promise<void> {
    return this.#run((driver) => driver.remove(...call));
  }

  mount(...call: Parameters<VolumeDriver['mount']>): Promise<string> {
    return this.#run((driver) => driver.mount(...call));
  }

  unmount(...call: Parameters<VolumeDriver['unmount']>): Promise<void> {
    return this.#run((driver) => driver.unmount(...call));
  }

  path(...call: Parameters<VolumeDriver['path']>): Promise<string> {
    return this.#run((driver) => driver.path(...call));
  }

  get(...call: Parameters<VolumeDriver['get']>): ReturnType<VolumeDriver['get']> {
    return this.#run((driver) => driver.get(...call));
  }

  list(...call: Parameters<VolumeDriver['list']>): ReturnType<VolumeDriver['list']> {
    return this.#run((driver) => driver.list(...call));
  }

  async #run<T>(call: (driver: VolumeDriver) => Promise<T>): Promise<T> {
    await this.#change;
    const running = call(this.#current);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}
