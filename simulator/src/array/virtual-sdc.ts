import type { SimulatedArray } from './array.ts';
import { introduceSdc, setSdcName } from '../mdm/sdcs.ts';
import type { MdmMessage, SdcVolume } from '../sdc-protocol.ts';
import type { SdcStream } from '../hosts/sdc-connections.ts';

/** An SDC without a host, for tests of what happens at the array. */
export interface VirtualSdc {
  readonly id: string;
  readonly guid: string;
  /** What the MDM last told it. */
  volumes(): readonly SdcVolume[];
  /** The MDM loses sight of it. */
  disconnect(): void;
}

/** Connects an SDC that acknowledges everything at once. */
export async function virtualSdc(
  array: SimulatedArray,
  sdc: { readonly guid: string; readonly ip?: string | undefined; readonly name?: string | undefined },
): Promise<VirtualSdc> {
  const guid = sdc.guid.toUpperCase();
  const { id } = await array.perform((cluster) => {
    const known = introduceSdc(cluster, { guid, ip: sdc.ip ?? '10.0.0.1', softwareVersion: 'R3_6.0.0' });
    if (sdc.name !== undefined) setSdcName(cluster, known.id, sdc.name);
    return known;
  });
  let volumes: readonly SdcVolume[] = [];
  const stream: SdcStream = {
    send: (message: MdmMessage) => {
      if (message.type !== 'volumes') return;
      volumes = message.volumes;
      array.connections.acknowledge(id);
    },
    drop: () => undefined,
  };
  await array.hosts.admit();
  array.connections.attach(id, stream);
  array.hosts.sendVolumes(id);
  return {
    id,
    guid,
    volumes: () => volumes,
    disconnect: () => {
      array.connections.detach(id, stream);
    },
  };
}
