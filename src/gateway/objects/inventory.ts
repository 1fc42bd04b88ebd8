import type { ArrayHost } from '../../array/host.ts';
import type { Inventory } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { GatewayClient } from '../wire/client.ts';
import { listInstances } from './instances.ts';
import { hostSchema, volumeSchema } from './schemas.ts';
import { SDC_INSTANCES } from './sdcs.ts';
import { LIST_TIMEOUT_MS, VOLUME_INSTANCES } from './volumes.ts';

/** All volumes and all hosts, as Inventory promises it. */
export class ArrayInventory implements Inventory {
  readonly #client: GatewayClient;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  readVolumes(signal: AbortSignal): Promise<readonly ArrayVolume[]> {
    const listing = { what: 'list all volumes', path: VOLUME_INSTANCES, schema: volumeSchema };
    return listInstances(this.#client, { ...listing, timeoutMs: LIST_TIMEOUT_MS }, signal);
  }

  readHosts(signal: AbortSignal): Promise<readonly ArrayHost[]> {
    const listing = { what: 'list all SDCs', path: SDC_INSTANCES, schema: hostSchema };
    return listInstances(this.#client, { ...listing, timeoutMs: LIST_TIMEOUT_MS }, signal);
  }
}
