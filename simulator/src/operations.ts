/* What tests do to a running array behind its gateway's back: `simulator.array.perform((cluster) => plugDisk(cluster, …))`. */
export { setDeviceFailed, setSdsConnected } from './mdm/devices.ts';
export { plugDisk } from './mdm/disks.ts';
export { addMapping } from './mdm/mappings.ts';
export { setNvmeHost } from './mdm/nvme-hosts.ts';
export { createPolicy } from './mdm/policies.ts';
export { removePool } from './mdm/pools.ts';
export { removeSdc } from './mdm/sdcs.ts';
export { createSds, removeSds } from './mdm/sdss.ts';
export { fillPool } from './array/fill-pool.ts';
