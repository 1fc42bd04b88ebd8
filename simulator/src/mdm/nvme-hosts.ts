import type { Cluster } from './cluster.ts';
import { refusal } from './failures.ts';
import { addMapping, type MappedHost } from './mappings.ts';
import type { NvmeHostRecord } from './records.ts';
import { sdcById } from './sdcs.ts';

export interface NvmeHostState {
  readonly nqn: string;
  readonly name: string | null;
  /** One per path: whether it is up, null where the array shall not say. */
  readonly controllers: readonly (boolean | null)[];
  /** Volumes to map to it alone, as its own orchestrator would. */
  readonly volumeIds: readonly string[];
}

/** Makes the host of this NQN, or changes it: what paths it has, and which volumes more. Refused as any mapping is. */
export function setNvmeHost(
  cluster: Cluster,
  { nqn, name, controllers, volumeIds }: NvmeHostState,
): NvmeHostRecord {
  const { nvmeHosts } = cluster.state;
  const known = [...nvmeHosts.values()].find((host) => host.nqn === nqn);
  const host: NvmeHostRecord = {
    id: known?.id ?? cluster.state.nextId('Sdc'),
    name: name ?? known?.name ?? null,
    nqn,
    controllers: controllers.map((isConnected, index) => ({
      id: known?.controllers[index]?.id ?? cluster.state.nextId('NvmeController'),
      isConnected,
    })),
  };
  nvmeHosts.put(host);
  for (const volumeId of volumeIds) addMapping(cluster, { volumeId, sdc: host, multi: false });
  return host;
}

/** The SDC or NVMe host with this id. Throws 80 when there is none. */
export function mappedHostById(cluster: Cluster, id: string): MappedHost {
  return cluster.state.nvmeHosts.get(id) ?? sdcById(cluster, id);
}

/** Throws 80 when there is none. */
export function nvmeHostById(cluster: Cluster, id: string): NvmeHostRecord {
  const host = cluster.state.nvmeHosts.get(id);
  if (host === undefined) throw refusal('INI_NOT_FOUND');
  return host;
}
