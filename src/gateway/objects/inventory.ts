import type { Inventory, SdcReading, VolumeReading } from '../../inventory/ports.ts';
import type { GatewayClient } from '../wire/client.ts';
import { listInstances } from './instances.ts';
import { sdcReadingSchema, volumeReadingSchema } from './inventory-schemas.ts';
import { SDC_INSTANCES } from './sdcs.ts';
import { LIST_TIMEOUT_MS, VOLUME_INSTANCES } from './volumes.ts';

/** All volumes and all SDCs, as Inventory promises it. */
export class ArrayInventory implements Inventory {
  readonly #client: GatewayClient;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  readVolumes(signal: AbortSignal): Promise<readonly VolumeReading[]> {
    const listing = { what: 'list all volumes', path: VOLUME_INSTANCES, schema: volumeReadingSchema };
    return listInstances(this.#client, { ...listing, timeoutMs: LIST_TIMEOUT_MS }, signal);
  }

  readSdcs(signal: AbortSignal): Promise<readonly SdcReading[]> {
    const listing = { what: 'list all SDCs', path: SDC_INSTANCES, schema: sdcReadingSchema };
    return listInstances(this.#client, { ...listing, timeoutMs: LIST_TIMEOUT_MS }, signal);
  }
}
