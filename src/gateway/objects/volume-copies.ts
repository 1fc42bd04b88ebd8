import { GatewayRejectedError, InvalidRequestError } from '../../errors.ts';
import { LONGEST_SECURED_MINUTES, type CopyRequest } from '../../array/copies.ts';
import type { ArrayName, VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { objectOf } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import { UnclearAnswerError } from '../wire/failures.ts';
import { lookForNamed, nameTaken } from './by-name.ts';
import { actionCall, changeOnce } from './change.ts';
import { asManyAs, familyLimitIn, snapshotsSchema, systemLimitsSchema } from './copy-schemas.ts';
import { lacks, lockedMeaning, meaning } from './meaning.ts';
import type { Volumes } from './volumes.ts';

const SNAPSHOT = '/api/instances/System/action/snapshotVolumes';
const SYSTEM_LIMITS = '/api/instances/System/action/querySystemLimits';
/** What 2.x [siolib] and what 3.x and 4.x [cinder, lxd] are known for. */
const SNAPSHOTS_PER_FAMILY = { beforeThree: 31, sinceThree: 126 };

/** Copies of volumes within the array, as VolumeCopies promises it. */
export class Copies {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;
  #familyLimit: number | undefined;

  constructor(client: GatewayClient, volumes: Volumes) {
    this.#client = client;
    this.#volumes = volumes;
  }

  async snapshot(request: CopyRequest, signal: AbortSignal): Promise<readonly VolumeId[]> {
    const { copies, access, secureForMinutes } = request;
    const what = described(request);
    assertSound(what, request);
    const identity = await this.#client.identify(signal);
    const { readOnlyLimit, secureSnapshots } = identity.capabilities;
    if (secureForMinutes !== undefined && !secureSnapshots) throw lacks(`${what} as secured`, identity);
    const body = {
      snapshotDefs: copies.map(({ volumeId, name }) => ({ volumeId, snapshotName: name })),
      // Sources differ on what 3.x makes of a snapshot without it; 2.x does not know it.
      ...(readOnlyLimit ? { accessModeLimit: access } : {}),
      ...(secureForMinutes === undefined ? {} : { retentionPeriodInMin: String(secureForMinutes) }),
    };
    const read = objectOf(snapshotsSchema);
    const call = { what, method: 'POST', path: SNAPSHOT, route: SNAPSHOT, body, repeatable: false } as const;
    const make = (): Promise<readonly VolumeId[]> =>
      this.#client.call(
        { ...call, read: async (reply) => asManyAs(await read(reply), copies.length) },
        signal,
      );
    const look = (): Promise<readonly VolumeId[] | undefined> => this.#lookFor(what, request, signal);
    return this.#unlessNameTaken(
      what,
      request,
      changeOnce(this.#client, { what, make, look }, signal),
      signal,
    );
  }

  async snapshotOne(volumeId: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId> {
    const [made] = await this.snapshot({ copies: [{ volumeId, name }], access: 'ReadWrite' }, signal);
    if (made === undefined)
      throw new UnclearAnswerError(`cannot snapshot volume "${volumeId}": no id came back`);
    return made;
  }

  /** All of them or none: one request makes them, so what is there in part was not made by it, or is not whole any more. */
  async #lookFor(
    what: string,
    { copies, known }: CopyRequest,
    signal: AbortSignal,
  ): Promise<readonly VolumeId[] | undefined> {
    const looks = copies.map(({ volumeId, name }) => {
      const isOurs = ({ id, ancestorId }: ArrayVolume): boolean =>
        ancestorId === volumeId && known?.has(id) !== true;
      return lookForNamed(this.#volumes, { name, what, isOurs }, signal);
    });
    const found = (await Promise.all(looks)).filter((snapshot) => snapshot !== undefined);
    const [first] = found;
    if (first === undefined) return undefined;
    const stranger = found.find(({ groupId }) => groupId !== first.groupId);
    if (stranger !== undefined) throw nameTaken(what, stranger.id);
    if (found.length === copies.length) return found.map(({ id }) => id);
    throw new UnclearAnswerError(
      `cannot ${what}, or see whether it happened: of ${copies.length} snapshots ${found.length} are there; look which, and use other names`,
    );
  }

  /** A refusal on account of a name that another volume bears is one as 'name-in-use', whatever number the array gave it. */
  async #unlessNameTaken<T>(
    what: string,
    { copies }: CopyRequest,
    change: Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    try {
      return await change;
    } catch (error) {
      if (!(error instanceof GatewayRejectedError) || error.refusal !== 'other') throw error;
      for (const { name } of copies) {
        const taken = await this.#volumes.find(name, signal);
        if (taken !== undefined) throw nameTaken(what, taken, error);
      }
      throw error;
    }
  }

  /**
   * 2.x reverts as a copy, which leaves the source alone; "move" uses the snapshot up and "toggle" puts the present content in its place
   * [2.0 REST reference]. Whether it has happened nothing shows, so a lost answer is met by doing it again.
   */
  async overwrite(target: VolumeId, source: VolumeId, signal: AbortSignal): Promise<void> {
    const what = `give volume "${target}" the content of "${source}"`;
    const { capabilities } = await this.#client.identify(signal);
    const request = capabilities.readOnlyLimit
      ? { action: 'overwriteVolumeContent', body: { srcVolumeId: source } }
      : { action: 'revertSnapshot', body: { volumeId: source, revertMode: 'copy' } };
    const call = actionCall({ what, id: target, ...request }, false);
    const make = async (): Promise<true> => {
      await this.#client.call(call, signal);
      return true;
    };
    const look = async (): Promise<undefined> => {
      // Only that the array answers again: whether it has happened is not to be seen.
      await this.#volumes.get(target, signal);
    };
    try {
      await changeOnce(this.#client, { what, make, look }, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError) || error.refusal !== 'other') throw error;
      throw await this.#whyNotOverwritten(error, target, source, signal);
    }
  }

  /** Rule 15: what the refusal means is seen in the volumes. */
  async #whyNotOverwritten(
    error: GatewayRejectedError,
    target: VolumeId,
    source: VolumeId,
    signal: AbortSignal,
  ): Promise<Error> {
    const found = await this.#volumes.getMany([target, source], signal);
    const [to, from] = [target, source].map((wanted) => found.find(({ id }) => id === wanted));
    if (to === undefined || from === undefined) return meaning(error, 'volume-unknown');
    if (to.familyId !== null && from.familyId !== null && to.familyId !== from.familyId)
      return meaning(error, 'other-family');
    return lockedMeaning(error, to) ?? error;
  }

  async familyLimit(signal: AbortSignal): Promise<number> {
    this.#familyLimit ??= (await this.#askedLimit(signal)) ?? (await this.#usualLimit(signal));
    return this.#familyLimit;
  }

  async #askedLimit(signal: AbortSignal): Promise<number | undefined> {
    const what = 'ask for the limits of the array';
    const call = { what, method: 'POST', path: SYSTEM_LIMITS, route: SYSTEM_LIMITS } as const;
    try {
      return familyLimitIn(
        await this.#client.call({ ...call, repeatable: true, read: objectOf(systemLimitsSchema) }, signal),
      );
    } catch (error) {
      if (error instanceof GatewayRejectedError) return undefined;
      throw error;
    }
  }

  async #usualLimit(signal: AbortSignal): Promise<number> {
    const { beforeThree, sinceThree } = SNAPSHOTS_PER_FAMILY;
    return (await this.#client.identify(signal)).capabilities.readOnlyLimit ? sinceThree : beforeThree;
  }
}

function described({ copies }: CopyRequest): string {
  const [first] = copies;
  if (first === undefined || copies.length > 1) return `snapshot ${copies.length} volumes at once`;
  return `snapshot volume "${first.volumeId}" as "${first.name}"`;
}

function assertSound(what: string, { copies, secureForMinutes: minutes }: CopyRequest): void {
  if (copies.length === 0) throw new InvalidRequestError(`cannot ${what}: no volume is named`);
  if (new Set(copies.map(({ name }) => name)).size < copies.length)
    throw new InvalidRequestError(`cannot ${what}: two snapshots cannot have one name`);
  if (minutes === undefined) return;
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_SECURED_MINUTES)
    throw new InvalidRequestError(
      `cannot ${what}: the array secures snapshots for whole minutes up to ${LONGEST_SECURED_MINUTES} (31 days), not for ${minutes}`,
    );
}
