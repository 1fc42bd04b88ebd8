import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { DeviceLinks, type NodeNaming } from './device-links.ts';
import { removeStaleHeldFiles } from './fence.ts';

/**
 * Removes what the SDC of a host that lost power left behind: links, device nodes, the socket, and `.held` files that
 * no process stands behind. Loop devices need no sweeping: they leave with their last mount. Not for a host whose
 * agent runs.
 */
export async function sweepHost(host: {
  guid: string;
  devDir: string;
  fenceDir: string;
  naming?: NodeNaming;
}): Promise<void> {
  const links = new DeviceLinks({ devDir: host.devDir, naming: host.naming ?? 'loop' });
  await links.clear();
  await rm(join(links.byId, '.scini'), { force: true });
  await removeStaleHeldFiles(host.fenceDir, host.guid);
}
