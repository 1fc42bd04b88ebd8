import { isDeepStrictEqual } from 'node:util';

import {
  InvalidRequestError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../../src/errors.ts';
import type { CallContext, DriverVolume, VolumeDriver } from '../../../src/docker/volume-driver.ts';

interface HeldVolume {
  readonly options: Readonly<Record<string, string>>;
  readonly holders: Set<string>;
}

/** A gate through which calls of one method pass only when opened. */
export interface Gate {
  /** Resolves when the first call stands at the gate. */
  readonly arrived: Promise<undefined>;
  open(): void;
}

type Method = keyof VolumeDriver;

/** A driver that keeps volumes in memory, with the answers that engines rely on; throws on what it must never be given. */
export class FakeDriver implements VolumeDriver {
  readonly volumes = new Map<string, HeldVolume>();
  /** Methods in the order of their calls. */
  readonly calls: Method[] = [];
  readonly #failures = new Map<Method, unknown>();
  readonly #gates = new Map<Method, { arrive: () => void; opened: Promise<undefined> }>();

  /** Makes every further call of the method fail; undefined heals it. */
  fail(method: Method, error: unknown): void {
    if (error === undefined) this.#failures.delete(method);
    else this.#failures.set(method, error);
  }

  /** Holds calls of the method back until the gate is opened. */
  hold(method: Method): Gate {
    const arrival = Promise.withResolvers<undefined>();
    const opening = Promise.withResolvers<undefined>();
    this.#gates.set(method, {
      arrive: () => {
        arrival.resolve(undefined);
      },
      opened: opening.promise,
    });
    return {
      arrived: arrival.promise,
      open: () => {
        this.#gates.delete(method);
        opening.resolve(undefined);
      },
    };
  }

  reset(): void {
    this.volumes.clear();
    this.calls.length = 0;
    this.#failures.clear();
    this.#gates.clear();
  }

  async create(name: string, options: Readonly<Record<string, string>>, call: CallContext): Promise<void> {
    await this.#enter('create', call, name);
    for (const [key, value] of Object.entries(options)) {
      if (typeof value !== 'string') throw new Error(`option ${key} is not text`);
      if (key !== 'size') throw new InvalidRequestError(`unknown option "${key}"; did you mean "size"?`);
    }
    if (name.length > 255 || !/^[a-zA-Z0-9][\w.-]*$/.test(name)) {
      throw new InvalidRequestError(`volume name "${name.slice(0, 20)}" cannot be`);
    }
    const existing = this.volumes.get(name);
    if (existing !== undefined && !isDeepStrictEqual({ ...existing.options }, { ...options })) {
      throw new VolumeConflictError(`volume "${name}" exists with another size`);
    }
    if (existing === undefined) this.volumes.set(name, { options, holders: new Set() });
  }

  async remove(name: string, call: CallContext): Promise<void> {
    await this.#enter('remove', call, name);
    if ((this.volumes.get(name)?.holders.size ?? 0) > 0)
      throw new VolumeInUseError(`volume "${name}" is mounted`);
    this.volumes.delete(name);
  }

  async mount(name: string, id: string, call: CallContext): Promise<string> {
    const volume = this.volumes.get(name);
    call.clientGone.addEventListener('abort', () => volume?.holders.delete(id));
    await this.#enter('mount', call, name);
    if (typeof id !== 'string') throw new Error('the mount id is not text');
    if (volume === undefined) throw new VolumeNotFoundError(`there is no volume "${name}"`);
    if (!call.clientGone.aborted) volume.holders.add(id);
    return `/mounts/${name}`;
  }

  async unmount(name: string, id: string, call: CallContext): Promise<void> {
    await this.#enter('unmount', call, name);
    if (typeof id !== 'string') throw new Error('the mount id is not text');
    this.volumes.get(name)?.holders.delete(id);
  }

  async path(name: string, call: CallContext): Promise<string> {
    await this.#enter('path', call, name);
    return this.#mountpointOf(name);
  }

  async get(name: string, call: CallContext): Promise<DriverVolume> {
    await this.#enter('get', call, name);
    const volume = this.volumes.get(name);
    if (volume === undefined) throw new VolumeNotFoundError(`there is no volume "${name}"`);
    return {
      name,
      mountpoint: this.#mountpointOf(name),
      createdAt: new Date('2026-01-02T03:04:05Z'),
      status: { size: volume.options['size'] ?? '16GiB' },
    };
  }

  async list(call: CallContext): Promise<{ name: string; mountpoint: string }[]> {
    await this.#enter('list', call);
    return [...this.volumes.keys()].map((name) => ({ name, mountpoint: this.#mountpointOf(name) }));
  }

  #mountpointOf(name: string): string {
    return (this.volumes.get(name)?.holders.size ?? 0) > 0 ? `/mounts/${name}` : '';
  }

  async #enter(method: Method, call: CallContext, name?: string): Promise<void> {
    this.calls.push(method);
    if (call.requestId === '') throw new Error('a call without a request id');
    if (name !== undefined && (typeof name !== 'string' || name === ''))
      throw new Error('a call without a name');
    const gate = this.#gates.get(method);
    gate?.arrive();
    await gate?.opened;
    if (this.#failures.has(method)) throw this.#failures.get(method);
  }
}
