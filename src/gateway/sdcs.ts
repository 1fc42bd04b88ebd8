import type { Sdc, SdcId } from '../volumes/volume.ts';
import { listOf, objectOf } from './bodies.ts';
import type { GatewayClient } from './client.ts';
import { sdcSchema } from './schemas.ts';
import { unlessMissing } from './volumes.ts';

const SDC_INSTANCES = '/api/types/Sdc/instances';

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

  get(id: SdcId, signal: AbortSignal): Promise<Sdc | undefined> {
    return unlessMissing(
      this.#client.call(
        {
          what: `read SDC "${id}"`,
          method: 'GET',
          path: `/api/instances/Sdc::${encodeURIComponent(id)}`,
          route: '/api/instances/Sdc::{id}',
          repeatable: true,
          read: objectOf(sdcSchema),
        },
        signal,
      ),
    );
  }
}
