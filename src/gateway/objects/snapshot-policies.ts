import { GatewayRejectedError, InvalidRequestError } from '../../errors.ts';
import type { SnapshotPolicy } from '../../array/copies.ts';
import type { PolicyId, VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { nearest } from '../../units/nearest.ts';
import { nothing } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import { cancelled } from '../wire/failures.ts';
import { changeOnce } from './change.ts';
import { snapshotPolicySchema } from './copy-schemas.ts';
import { listInstances } from './instances.ts';
import { lacks, meaning } from './meaning.ts';
import type { Volumes } from './volumes.ts';

const POLICY_INSTANCES = '/api/types/SnapshotPolicy/instances';
const MOST_NAMED = 5;

interface Assignment {
  readonly what: string;
  readonly policyId: PolicyId;
  readonly volumeId: VolumeId;
  readonly action: string;
  readonly more?: object;
}

/** Snapshots that the array takes by itself, as SnapshotPolicies promises it. */
export class Policies {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;

  constructor(client: GatewayClient, volumes: Volumes) {
    this.#client = client;
    this.#volumes = volumes;
  }

  async list(signal: AbortSignal): Promise<readonly SnapshotPolicy[]> {
    const what = 'list snapshot policies';
    const { capabilities } = await this.#client.identify(signal);
    if (signal.aborted) throw cancelled(what, signal);
    if (!capabilities.snapshotPolicies) return [];
    const listing = { what, path: POLICY_INSTANCES, schema: snapshotPolicySchema };
    return listInstances(this.#client, listing, signal);
  }

  async find(wanted: string, signal: AbortSignal): Promise<SnapshotPolicy> {
    const what = `find snapshot policy "${wanted}"`;
    await this.#assertPolicies(what, signal);
    const policies = await this.list(signal);
    const found = policies.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    const names = policies.flatMap(({ name }) => (name === null ? [] : [name]));
    throw new InvalidRequestError(`no snapshot policy "${wanted}"${suggestion(wanted, names)}`);
  }

  async addSource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    const what = `have snapshot policy "${policyId}" take snapshots of volume "${volumeId}"`;
    const isDone = (volume: ArrayVolume | undefined): boolean => volume?.policyId === policyId;
    const action = 'addSourceVolumeToSnapshotPolicy';
    try {
      await this.#assign({ what, policyId, volumeId, action }, isDone, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      const volume = await this.#volumes.get(volumeId, signal);
      if (isDone(volume)) return;
      if (volume === undefined) throw meaning(error, 'volume-unknown');
      if (volume.policyId !== null) throw meaning(error, 'family-has-source');
      throw error;
    }
  }

  /** 'Detach' leaves the snapshots that the policy took to themselves; 'Remove' would take them along. */
  async removeSource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    const what = `have snapshot policy "${policyId}" take no more snapshots of volume "${volumeId}"`;
    const isDone = (volume: ArrayVolume | undefined): boolean => volume?.policyId !== policyId;
    const action = 'removeSourceVolumeFromSnapshotPolicy';
    const more = { autoSnapshotRemovalAction: 'Detach' };
    try {
      await this.#assign({ what, policyId, volumeId, action, more }, isDone, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      if (!isDone(await this.#volumes.get(volumeId, signal))) throw error;
    }
  }

  async #assign(
    { what, policyId, volumeId, action, more }: Assignment,
    isDone: (volume: ArrayVolume | undefined) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#assertPolicies(what, signal);
    const call = {
      what,
      method: 'POST',
      path: `/api/instances/SnapshotPolicy::${encodeURIComponent(policyId)}/action/${action}`,
      route: `/api/instances/SnapshotPolicy::{id}/action/${action}`,
      body: { sourceVolumeId: volumeId, ...more },
      repeatable: false,
      read: nothing,
    } as const;
    const make = async (): Promise<true> => {
      await this.#client.call(call, signal);
      return true;
    };
    const look = async (): Promise<true | undefined> =>
      isDone(await this.#volumes.get(volumeId, signal)) ? true : undefined;
    await changeOnce(this.#client, { what, make, look }, signal);
  }

  async #assertPolicies(what: string, signal: AbortSignal): Promise<void> {
    const identity = await this.#client.identify(signal);
    if (!identity.capabilities.snapshotPolicies) throw lacks(what, identity);
  }
}

/** "; did you mean …?" when something is near, else what there is. */
function suggestion(wanted: string, names: readonly string[]): string {
  const near = nearest(wanted, names);
  if (near !== undefined) return `; did you mean "${near}"?`;
  if (names.length === 0) return '; the array has none';
  const shown = names
    .toSorted()
    .slice(0, MOST_NAMED)
    .map((name) => `"${name}"`)
    .join(', ');
  return `; there is ${shown}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`;
}
