import type * as z from 'zod';
import type { Inventory, SdcReading, VolumeReading } from '../inventory/ports.ts';
import { listOf } from './bodies.ts';
import type { GatewayClient } from './client.ts';
import { sdcReadingSchema, volumeReadingSchema } from './inventory-schemas.ts';
import { LIST_TIMEOUT_MS, VOLUME_INSTANCES } from './volumes.ts';
import { SDC_INSTANCES } from './sdcs.ts';

/** All volumes and all SDCs, as Inventory promises it. */
export class ArrayInventory implements Inventory {
  readonly #client: GatewayClient;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  readVolumes(signal: AbortSignal): Promise<readonly VolumeReading[]> {
    return this.#list('list all volumes', VOLUME_INSTANCES, volumeReadingSchema, signal);
  }

  readSdcs(signal: AbortSignal): Promise<readonly SdcReading[]> {
    return this.#list('list all SDCs', SDC_INSTANCES, sdcReadingSchema, signal);
  }

  #list<Schema extends z.ZodType>(
    what: string,
    path: string,
    schema: Schema,
    signal: AbortSignal,
  ): Promise<z.output<Schema>[]> {
    return this.#client.call(
      {
        what,
        method: 'GET',
        path,
        route: path,
        repeatable: true,
        timeoutMs: LIST_TIMEOUT_MS,
        read: listOf(schema),
      },
      signal,
    );
  }
}
