import type { Sdc, SdcId } from '../volumes/volume.ts';
import { listOf, objectOf } from './bodies.ts';
import type { GatewayClient } from './client.ts';
import { ARRAY_CODE } from './error-lookup.ts';
import { isMissing, isRejection } from './replies.ts';
import { sdcSchema } from './schemas.ts';

export const SDC_INSTANCES = '/api/types/Sdc/instances';

/** The SDCs that the array knows. */
export class Sdcs {
  readonly #client: GatewayClient;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  /** GUIDs are compared in upper case, as the array holds them ([rexray], [csi-powerflex]). */
  async findByGuid(guid: string, signal: AbortSignal): Promise<Sdc | undefined> {
    const wanted = guid.trim().toUpperCase();
    const found = await this.#client.call(
      {
        what: `look up the SDC with GUID "${guid}"`,
        method: 'GET',
        path: SDC_INSTANCES,
        route: SDC_INSTANCES,
        repeatable: true,
        read: listOf(
          sdcSchema,
          (element) => 'sdcGuid' in element && String(element.sdcGuid).toUpperCase() === wanted,
        ),
      },
      signal,
    );
    return found[0];
  }

  async get(id: SdcId, signal: AbortSignal): Promise<Sdc | undefined> {
    try {
      return await this.#read(id, signal);
    } catch (error) {
      if (isMissing(error) || isRejection(error, ARRAY_CODE.sdcNotFound)) return undefined;
      throw error;
    }
  }

  #read(id: SdcId, signal: AbortSignal): Promise<Sdc> {
    return this.#client.call(
      {
        what: `read SDC "${id}"`,
        method: 'GET',
        path: `/api/instances/Sdc::${encodeURIComponent(id)}`,
        route: '/api/instances/Sdc::{id}',
        repeatable: true,
        read: objectOf(sdcSchema),
      },
      signal,
    );
  }
}
