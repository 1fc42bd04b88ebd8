import { GatewayRejectedError } from '../../errors.ts';
import type { ArrayHost } from '../../array/host.ts';
import type { HostId } from '../../array/ids.ts';
import type { HostRegistry } from '../../array/storage-array.ts';
import type { ArrayIdentity, DescribedSystem } from '../../array/system.ts';
import { listOf, nothing } from '../wire/bodies.ts';
import type { Call, GatewayClient } from '../wire/client.ts';
import { EndpointFailure } from '../wire/failures.ts';
import { listInstances } from './instances.ts';
import { describedSystemSchema } from './registration-schemas.ts';
import { hostSchema } from './schemas.ts';
import { SDC_INSTANCES, type Sdcs } from './sdcs.ts';

const SYSTEM_INSTANCES = '/api/types/System/instances';

/** How hosts register at the array: who is let in, from where, under what name. Only ever the one SDC that is named. */
export class Registration implements HostRegistry {
  readonly #client: GatewayClient;
  readonly #sdcs: Pick<Sdcs, 'findByGuid'>;

  constructor(client: GatewayClient, sdcs: Pick<Sdcs, 'findByGuid'>) {
    this.#client = client;
    this.#sdcs = sdcs;
  }

  identity(signal: AbortSignal): Promise<ArrayIdentity> {
    return this.#client.identify(signal);
  }

  /** The array itself: whom it lets in, and where its MDMs are. */
  async describeSystem(signal: AbortSignal): Promise<DescribedSystem> {
    const { systemId } = await this.#client.identify(signal);
    return this.#client.call(
      {
        what: 'describe the array',
        method: 'GET',
        path: SYSTEM_INSTANCES,
        route: SYSTEM_INSTANCES,
        repeatable: true,
        read: async (reply) => {
          const systems = await listOf(describedSystemSchema)(reply);
          const found = systems.find((system) => system.id === systemId);
          if (found !== undefined) return found;
          throw new EndpointFailure(`no longer serves the array "${systemId}"`, { mayHaveActed: false });
        },
      },
      signal,
    );
  }

  findHost(guid: string, signal: AbortSignal): Promise<ArrayHost | undefined> {
    return this.#sdcs.findByGuid(guid, signal);
  }

  /**
   * Lets the SDC with this GUID in; with addresses, in mode ApprovedIp, from these. False when it was approved already:
   * then its addresses are as they were.
   */
  approveHost(guid: string, addresses: readonly string[], signal: AbortSignal): Promise<boolean> {
    const body = { sdcGuid: guid, ...(addresses.length === 0 ? {} : { sdcIps: addresses }) };
    const action = { what: `approve SDC "${guid}"`, action: 'approveSdc', body };
    return this.#unless(
      async () => (await this.findHost(guid, signal))?.isApproved === true,
      () => this.#act(action, signal),
    );
  }

  /** Replaces the addresses from which an approved SDC may report. */
  async setApprovedAddresses(id: HostId, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const body = { sdcId: id, sdcApprovedIps: addresses };
    await this.#act(
      { what: `approve the addresses of SDC "${id}"`, action: 'setApprovedSdcIps', body },
      signal,
    );
  }

  /** False when another SDC has the name. */
  renameHost(id: HostId, name: string, signal: AbortSignal): Promise<boolean> {
    const call = change({
      what: `name SDC "${id}" "${name}"`,
      path: `/api/instances/Sdc::${encodeURIComponent(id)}/action/setSdcName`,
      route: '/api/instances/Sdc::{id}/action/setSdcName',
      body: { sdcName: name },
    });
    return this.#unless(
      async () => (await this.#namesOfOthers(id, signal)).includes(name),
      () => this.#client.call(call, signal),
    );
  }

  async #namesOfOthers(id: HostId, signal: AbortSignal): Promise<readonly (string | null)[]> {
    const listing = { what: 'list the names of SDCs', path: SDC_INSTANCES, schema: hostSchema };
    const sdcs = await listInstances(this.#client, listing, signal);
    return sdcs.filter((sdc) => sdc.id !== id).map(({ name }) => name);
  }

  async #act(
    { what, action, body }: { what: string; action: string; body: object },
    signal: AbortSignal,
  ): Promise<void> {
    const { systemId } = await this.#client.identify(signal);
    const path = `/api/instances/System::${systemId}/action/${action}`;
    const route = `/api/instances/System::{id}/action/${action}`;
    await this.#client.call(change({ what, path, route, body }), signal);
  }

  /** A refusal has the reason that shows at the array; its numbers are known from no source ([goscaleio] table). */
  async #unless(isSo: () => Promise<boolean>, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof GatewayRejectedError && (await isSo())) return false;
      throw error;
    }
  }
}

/** Each of these done twice is as good as once. */
function change(call: Pick<Call<void>, 'what' | 'path' | 'route' | 'body'>): Call<void> {
  return { ...call, method: 'POST', repeatable: true, read: nothing };
}
