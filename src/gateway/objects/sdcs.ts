import { GatewayRejectedError } from '../../errors.ts';
import type { ArrayHost, HostState } from '../../array/host.ts';
import type { HostId } from '../../array/ids.ts';
import { listOf, objectOf } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import { EndpointFailure } from '../wire/failures.ts';
import { isMissing } from '../wire/replies.ts';
import { hostSchema, nvmeControllerSchema } from './schemas.ts';

export const SDC_INSTANCES = '/api/types/Sdc/instances';

/** The SDCs that the array knows. */
export class Sdcs {
  readonly #client: GatewayClient;
  readonly #nvmeHosts = new Set<HostId>();

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  /** GUIDs are compared in upper case, as the array holds them ([rexray], [csi-powerflex]). */
  async findByGuid(guid: string, signal: AbortSignal): Promise<ArrayHost | undefined> {
    const wanted = guid.trim().toUpperCase();
    const found = await this.#client.call(
      {
        what: `look up the SDC with GUID "${guid}"`,
        method: 'GET',
        path: SDC_INSTANCES,
        route: SDC_INSTANCES,
        repeatable: true,
        isList: true,
        read: listOf(
          hostSchema,
          (element) => 'sdcGuid' in element && String(element.sdcGuid).toUpperCase() === wanted,
        ),
      },
      signal,
    );
    return found[0];
  }

  /** One call, two for an NVMe host. */
  async get(id: HostId, signal: AbortSignal): Promise<ArrayHost | undefined> {
    try {
      const host = await this.#client.call(
        {
          what: `read SDC "${id}"`,
          method: 'GET',
          path: `/api/instances/Sdc::${encodeURIComponent(id)}`,
          route: '/api/instances/Sdc::{id}',
          repeatable: true,
          read: objectOf(hostSchema, id),
        },
        signal,
      );
      if (host.kind === 'sdc') return host;
      this.#nvmeHosts.add(id);
      return { ...host, state: await this.#stateOfNvmeHost(id, signal) };
    } catch (error) {
      if (isMissing(error) || isUnknownHost(error)) return undefined;
      throw error;
    }
  }

  /** True of a host that has been read and is no SDC. */
  isNvmeHost(id: HostId): boolean {
    return this.#nvmeHosts.has(id);
  }

  /** Rule 16: a host that uses NVMe is away only when the array lists its paths and says of each that it is down. */
  async #stateOfNvmeHost(id: HostId, signal: AbortSignal): Promise<HostState> {
    try {
      const controllers = await this.#client.call(
        {
          what: `list the NVMe controllers of host "${id}"`,
          method: 'GET',
          path: `/api/instances/Host::${encodeURIComponent(id)}/relationships/NvmeController`,
          route: '/api/instances/Host::{id}/relationships/NvmeController',
          repeatable: true,
          read: listOf(nvmeControllerSchema),
        },
        signal,
      );
      if (controllers.some(({ isConnected }) => isConnected === true)) return 'connected';
      const allAreDown = controllers.every(
        ({ hostId, isConnected }) => isConnected === false && (hostId === null || hostId === id),
      );
      return controllers.length > 0 && allAreDown ? 'disconnected' : 'unknown';
    } catch (error) {
      // An answer that cannot be read, or none, says nothing of the host.
      if (error instanceof GatewayRejectedError || error instanceof EndpointFailure) return 'unknown';
      throw error;
    }
  }
}

function isUnknownHost(error: unknown): boolean {
  return error instanceof GatewayRejectedError && error.refusal === 'host-unknown';
}
