import { GatewayRejectedError, InvalidRequestError } from '../errors.ts';
import type { MappingRequest } from '../volumes/ports.ts';
import type { ArrayVolume, SdcId, VolumeId } from '../volumes/volume.ts';
import { actionCall, changeVolume, type VolumeAction } from './change.ts';
import type { GatewayClient } from './client.ts';
import { ARRAY_CODE } from './error-lookup.ts';
import { isMissing, isRejection } from './replies.ts';
import { knowsAccessModes } from './volume-changes.ts';
import type { Volumes } from './volumes.ts';

/** [goscaleio] table: VOL_ALREADY_MAPPED_TO_AN_INI; no source gives its number. */
const MAPPED_TO_SOME_SDC = 'already mapped to a SDC';

function isMappedTo(volume: ArrayVolume | undefined, sdcId: SdcId): boolean {
  return volume?.mappings.some((mapping) => mapping.sdcId === sdcId) ?? false;
}

/**
 * Which SDC may use which volume. Here rule 1 (one writer: a mapping is exclusive unless the volume is for reading
 * only) and rule 2 (only ever the one SDC that is named) become requests.
 */
export class Mappings {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;

  constructor(client: GatewayClient, volumes: Volumes) {
    this.#client = client;
    this.#volumes = volumes;
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<void> {
    const { volumeId: id, sdcId, readOnly } = request;
    const what = `map volume "${id}" to SDC "${sdcId}"`;
    if (readOnly) await this.#assertReadOnlyMappings(what, signal);
    const body = readOnly
      ? { sdcId, allowMultipleMappings: 'TRUE', accessMode: 'ReadOnly' }
      : { sdcId, allowMultipleMappings: 'FALSE' };
    try {
      await this.#change(
        { what, id, action: 'addMappedSdc', body },
        (found) => isMappedTo(found, sdcId),
        signal,
      );
    } catch (error) {
      if (isRejection(error, ARRAY_CODE.mappedToThisSdc)) return;
      const unclear = error instanceof GatewayRejectedError && error.message.includes(MAPPED_TO_SOME_SDC);
      if (!unclear) throw error;
      if (isMappedTo(await this.#volumes.get(id, signal), sdcId)) return;
      const { httpStatus, context } = error;
      const arrayCode = ARRAY_CODE.mappedToAnotherSdc;
      throw new GatewayRejectedError(error.message, { arrayCode, httpStatus, context, cause: error });
    }
  }

  async unmap(id: VolumeId, sdcId: SdcId, signal: AbortSignal): Promise<void> {
    const what = `unmap volume "${id}" from SDC "${sdcId}"`;
    try {
      const action = { what, id, action: 'removeMappedSdc', body: { sdcId } };
      await this.#change(action, (found) => !isMappedTo(found, sdcId), signal);
    } catch (error) {
      if (isRejection(error, ARRAY_CODE.notMappedToSdc) || isRejection(error, ARRAY_CODE.volumeNotFound))
        return;
      if (!isMissing(error) && !isRejection(error, ARRAY_CODE.sdcNotFound)) throw error;
      // An SDC or volume that the array does not know has no mapping, but that is seen rather than believed.
      if (isMappedTo(await this.#volumes.get(id, signal), sdcId)) throw error;
    }
  }

  /** Setting limits twice is as good as once, so a lost reply needs no looking. */
  async limit(
    target: { volumeId: VolumeId; sdcId: SdcId },
    limits: { iops: number; bandwidthKiBps: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { volumeId: id, sdcId } = target;
    const what = `limit volume "${id}" at SDC "${sdcId}"`;
    const { iops, bandwidthKiBps } = limits;
    if (iops === 0 && bandwidthKiBps === 0) {
      throw new InvalidRequestError(`cannot ${what}: the array refuses to take both limits away at once`);
    }
    const body = { sdcId, iopsLimit: String(iops), bandwidthLimitInKbps: String(bandwidthKiBps) };
    await this.#client.call(actionCall({ what, id, action: 'setMappedSdcLimits', body }, true), signal);
  }

  /** Before 3.0 a mapping cannot be for reading only, so sharing one would make many writers. */
  async #assertReadOnlyMappings(what: string, signal: AbortSignal): Promise<void> {
    const identity = await this.#client.identify(signal);
    if (knowsAccessModes(identity)) return;
    throw new InvalidRequestError(
      `cannot ${what} for reading only: the array's version is ${identity.version}, it takes 3.0 or later`,
    );
  }

  #change(
    action: VolumeAction,
    isDone: (volume: ArrayVolume | undefined) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    return changeVolume({ client: this.#client, volumes: this.#volumes }, action, isDone, signal);
  }
}
