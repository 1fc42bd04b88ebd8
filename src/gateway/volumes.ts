import { GatewayRejectedError } from '../errors.ts';
import type { ArrayName, ArrayVolume, SdcId, VolumeId, VtreeId } from '../volumes/volume.ts';
import { listOf, objectOf, pickedOf } from './bodies.ts';
import type { GatewayClient } from './client.ts';
import { bodyText, type HttpReply } from './http.ts';
import { unquoted } from './login.ts';
import { isMissing } from './replies.ts';
import { volumeIoSchema, volumeSchema } from './schemas.ts';

/** The gateway gathers a long list before its first byte. */
export const LIST_TIMEOUT_MS = 60_000;

export const VOLUME_INSTANCES = '/api/types/Volume/instances';

/** `/api/instances/Volume::{id}` and what follows it. */
export function volumePath(id: VolumeId, rest = ''): string {
  return `/api/instances/Volume::${encodeURIComponent(id)}${rest}`;
}

/** Undefined in place of a refusal that says there is no such thing. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Reading volumes and snapshots, as StorageArray promises it. */
export class Volumes {
  readonly #client: GatewayClient;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  /** Rule 10: the array compares names exactly, case included, and so does whoever asks. */
  async find(name: ArrayName, signal: AbortSignal): Promise<VolumeId | undefined> {
    const path = `${VOLUME_INSTANCES}/action/queryIdByKey`;
    const found = this.#client.call(
      {
        what: `look up volume "${name}"`,
        method: 'POST',
        path,
        route: path,
        body: { name },
        repeatable: true,
        read: async (reply) => unquoted(await bodyText(reply)),
      },
      signal,
    );
    const id = await unlessMissing(found);
    return id === undefined || id === '' || id === 'null' ? undefined : (id as VolumeId);
  }

  get(id: VolumeId, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    return unlessMissing(
      this.#client.call(
        {
          what: `read volume "${id}"`,
          method: 'GET',
          path: volumePath(id),
          route: '/api/instances/Volume::{id}',
          repeatable: true,
          read: objectOf(volumeSchema),
        },
        signal,
      ),
    );
  }

  /** Reads and writes in the array's present measuring interval [goscaleio: VolumeStatistics]. */
  recentIo(id: VolumeId, signal: AbortSignal): Promise<number> {
    return this.#client.call(
      {
        what: `read the I/O of volume "${id}"`,
        method: 'GET',
        path: volumePath(id, '/relationships/Statistics'),
        route: '/api/instances/Volume::{id}/relationships/Statistics',
        repeatable: true,
        read: objectOf(volumeIoSchema),
      },
      signal,
    );
  }

  async getMany(ids: readonly VolumeId[], signal: AbortSignal): Promise<ArrayVolume[]> {
    if (ids.length === 0) return [];
    const wanted = [...new Set(ids)];
    const refusal = await this.#tryBySelectedIds(wanted, signal);
    if (Array.isArray(refusal)) return refusal;
    // Some arrays refuse the whole query for one id that is gone; some of them say which.
    const left = wanted.filter((id) => !refusal.message.includes(id));
    if (left.length === 0) return [];
    const again = left.length < wanted.length ? await this.#tryBySelectedIds(left, signal) : refusal;
    if (Array.isArray(again)) return again;
    const names = new Set<string>(left);
    return this.#list((element) => 'id' in element && names.has(String(element.id)), signal);
  }

  async #tryBySelectedIds(
    ids: readonly VolumeId[],
    signal: AbortSignal,
  ): Promise<ArrayVolume[] | GatewayRejectedError> {
    try {
      return await this.#queryBySelectedIds(ids, signal);
    } catch (error) {
      if (error instanceof GatewayRejectedError) return error;
      throw error;
    }
  }

  list(passes: (name: string) => boolean, signal: AbortSignal): Promise<ArrayVolume[]> {
    return this.#list(
      (element) => 'name' in element && typeof element.name === 'string' && passes(element.name),
      signal,
    );
  }

  listNames<T>(pick: (name: string) => T | undefined, signal: AbortSignal): Promise<T[]> {
    const pickFrom = (element: object): T | undefined =>
      'name' in element && typeof element.name === 'string' ? pick(element.name) : undefined;
    return this.#listAs(pickedOf(pickFrom), signal);
  }

  ofSdc(id: SdcId, signal: AbortSignal): Promise<ArrayVolume[]> {
    return this.#related('Sdc', id, signal);
  }

  ofVtree(id: VtreeId, signal: AbortSignal): Promise<ArrayVolume[]> {
    return this.#related('VTree', id, signal);
  }

  #queryBySelectedIds(ids: readonly VolumeId[], signal: AbortSignal): Promise<ArrayVolume[]> {
    const path = `${VOLUME_INSTANCES}/action/queryBySelectedIds`;
    return this.#client.call(
      {
        what: `read ${ids.length} volumes`,
        method: 'POST',
        path,
        route: path,
        body: { ids },
        repeatable: true,
        read: listOf(volumeSchema),
      },
      signal,
    );
  }

  #list(passes: (element: object) => boolean, signal: AbortSignal): Promise<ArrayVolume[]> {
    return this.#listAs(listOf(volumeSchema, passes), signal);
  }

  #listAs<T>(read: (reply: HttpReply) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#client.call(
      {
        what: 'list volumes',
        method: 'GET',
        path: VOLUME_INSTANCES,
        route: VOLUME_INSTANCES,
        repeatable: true,
        timeoutMs: LIST_TIMEOUT_MS,
        read,
      },
      signal,
    );
  }

  #related(type: 'Sdc' | 'VTree', id: string, signal: AbortSignal): Promise<ArrayVolume[]> {
    return this.#client.call(
      {
        what: `list the volumes of ${type} "${id}"`,
        method: 'GET',
        path: `/api/instances/${type}::${encodeURIComponent(id)}/relationships/Volume`,
        route: `/api/instances/${type}::{id}/relationships/Volume`,
        repeatable: true,
        read: listOf(volumeSchema),
      },
      signal,
    );
  }
}
