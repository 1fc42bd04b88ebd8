import { CapacityError, GatewayAuthError, GatewayRejectedError } from '../../errors.ts';
import type { HostId, VolumeId } from '../../array/ids.ts';
import type { ArrayVolume, AttachmentRequest } from '../../array/volume.ts';
import { changeVolume, type VolumeAction } from './change.ts';
import { lacks, meaning, type Refused } from './meaning.ts';
import type { GatewayClient } from '../wire/client.ts';
import type { Sdcs } from './sdcs.ts';
import type { Volumes } from './volumes.ts';

function isRefusal(error: unknown): error is Refused {
  return [GatewayRejectedError, CapacityError, GatewayAuthError].some((kind) => error instanceof kind);
}

function isMappedTo(volume: ArrayVolume | undefined, sdcId: HostId): boolean {
  return volume?.attachments.some((mapping) => mapping.hostId === sdcId) ?? false;
}

/**
 * Which SDC may use which volume. Here rule 1 (one writer: a mapping is exclusive unless the volume is for reading
 * only) and rule 2 (only ever the one SDC that is named) become requests.
 */
export class Mappings {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;
  readonly #sdcs: Pick<Sdcs, 'get' | 'isNvmeHost'>;

  constructor(client: GatewayClient, volumes: Volumes, sdcs: Pick<Sdcs, 'get' | 'isNvmeHost'>) {
    this.#client = client;
    this.#volumes = volumes;
    this.#sdcs = sdcs;
  }

  async map(request: AttachmentRequest, signal: AbortSignal): Promise<void> {
    const { volumeId: id, hostId: sdcId, readOnly } = request;
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
      if (!isRefusal(error)) throw error;
      await this.#judgeRefusedMap(request, error, signal);
    }
  }

  /** Rule 15: what the array refuses is seen in its mappings, whatever number and words it chose. Returns when it is mapped as wanted. */
  async #judgeRefusedMap(request: AttachmentRequest, error: Refused, signal: AbortSignal): Promise<void> {
    const { volumeId: id, hostId: sdcId, readOnly } = request;
    const volume = await this.#volumes.get(id, signal);
    if (volume === undefined) throw meaning(error, 'volume-unknown');
    const isHere = isMappedTo(volume, sdcId);
    const isElsewhere =
      volume.attachedToAll || volume.attachments.some((mapping) => mapping.hostId !== sdcId);
    if (isHere && (readOnly || !isElsewhere)) return;
    if (isElsewhere && !readOnly) throw meaning(error, 'held-by-another');
    if ((await this.#sdcs.get(sdcId, signal)) === undefined) throw meaning(error, 'host-unknown');
    throw error;
  }

  async unmap(id: VolumeId, sdcId: HostId, signal: AbortSignal): Promise<void> {
    const what = `unmap volume "${id}" from SDC "${sdcId}"`;
    // A host of 4.x that is no SDC has a call of its own [array description of 4.5, lxd].
    const request = this.#sdcs.isNvmeHost(sdcId)
      ? { action: 'removeMappedHost', body: { hostId: sdcId } }
      : { action: 'removeMappedSdc', body: { sdcId } };
    try {
      await this.#change({ what, id, ...request }, (found) => !isMappedTo(found, sdcId), signal);
    } catch (error) {
      // Not mapped, no such volume, no such SDC: seen rather than believed, whatever the array calls it.
      if (!isRefusal(error) || isMappedTo(await this.#volumes.get(id, signal), sdcId)) throw error;
    }
  }

  async limit(
    target: { volumeId: VolumeId; hostId: HostId },
    limits: { iops?: number | undefined; bandwidthKiBps?: number | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const { volumeId: id, hostId: sdcId } = target;
    const what = `limit volume "${id}" at SDC "${sdcId}"`;
    for (const part of limitRequests(limits)) {
      const action = { what, id, action: 'setMappedSdcLimits', body: { sdcId, ...bodyOf(part) } };
      await this.#change(action, (found) => hasLimits(found, sdcId, part), signal);
    }
  }

  /** Before 3.0 a mapping cannot be for reading only, so sharing one would make many writers. */
  async #assertReadOnlyMappings(what: string, signal: AbortSignal): Promise<void> {
    const identity = await this.#client.identify(signal);
    if (identity.capabilities.readOnlyLimit) return;
    throw lacks(`${what} for reading only`, identity);
  }

  #change(
    action: VolumeAction,
    isDone: (volume: ArrayVolume | undefined) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    return changeVolume({ client: this.#client, volumes: this.#volumes }, action, isDone, signal);
  }
}

interface Limits {
  readonly iops?: number | undefined;
  readonly bandwidthKiBps?: number | undefined;
}

/** The gateway refuses to take both limits away in one request [pysio], so that takes two. */
function limitRequests({ iops, bandwidthKiBps }: Limits): Limits[] {
  if (iops === 0 && bandwidthKiBps === 0) return [{ iops }, { bandwidthKiBps }];
  return iops === undefined && bandwidthKiBps === undefined ? [] : [{ iops, bandwidthKiBps }];
}

/** What is left out keeps its value. */
function bodyOf({ iops, bandwidthKiBps }: Limits): object {
  return {
    ...(iops === undefined ? {} : { iopsLimit: String(iops) }),
    ...(bandwidthKiBps === undefined ? {} : { bandwidthLimitInKbps: String(bandwidthKiBps) }),
  };
}

function hasLimits(
  volume: ArrayVolume | undefined,
  sdcId: HostId,
  { iops, bandwidthKiBps }: Limits,
): boolean {
  const mapping = volume?.attachments.find(({ hostId }) => hostId === sdcId);
  if (mapping === undefined) return false;
  const { limitIops, limitBandwidthKiBps } = mapping;
  return (iops ?? limitIops) === limitIops && (bandwidthKiBps ?? limitBandwidthKiBps) === limitBandwidthKiBps;
}
