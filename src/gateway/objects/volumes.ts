import { GatewayRejectedError } from '../../errors.ts';
import { asVolumeId, type ArrayName, type HostId, type VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { listOf, objectOf, pickedOf, unclear } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import { bodyText, type HttpReply } from '../wire/http.ts';
import { unquoted } from '../wire/login.ts';
import { UnclearAnswerError } from '../wire/failures.ts';
import { isMissing } from '../wire/replies.ts';
import { volumeIoSchema, volumeSchema } from './schemas.ts';
import { understand } from '../wire/fields.ts';

/** The gateway gathers a long list before its first byte. */
export const LIST_TIMEOUT_MS = 60_000;

/** Ids that a refusal names are asked for one by one up to so many; beyond that the whole list is cheaper. */
const MOST_FOLLOWED_UP = 4;
const HEXADECIMAL = /^[0-9a-f]+$/i;

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
        read: async (reply) => idFrom(await bodyText(reply)),
      },
      signal,
    );
    return unlessMissing(found);
  }

  async get(id: VolumeId, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    // Nothing has an id that is none, and the gateway has no number for saying so.
    if (!HEXADECIMAL.test(id)) return undefined;
    return unlessMissing(
      this.#client.call(
        {
          what: `read volume "${id}"`,
          method: 'GET',
          path: volumePath(id),
          route: '/api/instances/Volume::{id}',
          repeatable: true,
          read: objectOf(volumeSchema, id),
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
    // Some arrays refuse the whole query for one id that is gone; some of them say which. That is a hint, which is followed up.
    const named = wanted.filter((id) => refusal.message.includes(id));
    const gone = named.length <= MOST_FOLLOWED_UP ? await this.#absent(named, signal) : new Set<VolumeId>();
    const left = wanted.filter((id) => !gone.has(id));
    if (left.length === 0) return [];
    const again = left.length < wanted.length ? await this.#tryBySelectedIds(left, signal) : refusal;
    if (Array.isArray(again)) return again;
    const names = new Set<string>(left);
    return this.#list((element) => 'id' in element && names.has(String(element.id)), signal);
  }

  async #absent(ids: readonly VolumeId[], signal: AbortSignal): Promise<ReadonlySet<VolumeId>> {
    const found = await Promise.all(ids.map((id) => this.get(id, signal)));
    return new Set(ids.filter((_, index) => found[index] === undefined));
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

  /** Of an element whose name is no name nobody can tell what it is, so the list is unknown. */
  listNames<T>(pick: (name: string) => T | undefined, signal: AbortSignal): Promise<T[]> {
    const pickFrom = (element: object): T | undefined => {
      const name = 'name' in element ? element.name : null;
      if (name !== null && typeof name !== 'string') throw unclear('lists a volume whose name is no text');
      return name === null ? undefined : pick(name);
    };
    return this.#listAs(pickedOf(pickFrom), signal);
  }

  /** Rule 15: whose answer is about another SDC says nothing of this one. */
  ofHost(id: HostId, signal: AbortSignal): Promise<ArrayVolume[]> {
    const belongs = (volume: ArrayVolume): boolean =>
      volume.attachedToAll || volume.attachments.some(({ hostId }) => hostId === id);
    return this.#related('Sdc', id, belongs, signal);
  }

  /** One call. Refused, be it that the call is not known or that the family is gone, it is seen in the list of all (rule 15). */
  async ofFamily(
    { id: ofId, familyId: id }: Pick<ArrayVolume, 'id' | 'familyId'>,
    signal: AbortSignal,
  ): Promise<ArrayVolume[]> {
    if (id === null) {
      throw new UnclearAnswerError(
        `cannot list the snapshots of volume "${ofId}": the array does not say to which V-tree it belongs; try again`,
      );
    }
    const belongs = ({ familyId }: ArrayVolume): boolean => familyId === id;
    try {
      return await this.#related('VTree', id, belongs, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      return this.#list((element) => 'vtreeId' in element && element.vtreeId === id, signal);
    }
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
        isList: true,
        read: listOfThese((volume) => ids.includes(volume.id)),
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
        isList: true,
        timeoutMs: LIST_TIMEOUT_MS,
        read,
      },
      signal,
    );
  }

  #related(
    type: 'Sdc' | 'VTree',
    id: string,
    belongs: (volume: ArrayVolume) => boolean,
    signal: AbortSignal,
  ): Promise<ArrayVolume[]> {
    return this.#client.call(
      {
        what: `list the volumes of ${type} "${id}"`,
        method: 'GET',
        path: `/api/instances/${type}::${encodeURIComponent(id)}/relationships/Volume`,
        route: `/api/instances/${type}::{id}/relationships/Volume`,
        repeatable: true,
        isList: true,
        read: listOfThese(belongs),
      },
      signal,
    );
  }
}

/** Reads a list of volumes that all belong where they were asked for. */
function listOfThese(
  belongs: (volume: ArrayVolume) => boolean,
): (reply: HttpReply) => Promise<ArrayVolume[]> {
  return pickedOf((element) => {
    const volume = understand(volumeSchema, element);
    if (!belongs(volume)) throw unclear(`lists volume "${volume.id}", which was not asked for`);
    return volume;
  });
}

/** An id as queryIdByKey answers it; anything else is no answer, and above all no "there is none" (rule 15). */
function idFrom(text: string): VolumeId {
  const id = unquoted(text);
  if (!HEXADECIMAL.test(id)) throw unclear('to a look-up by name is not an id');
  return asVolumeId(id);
}
