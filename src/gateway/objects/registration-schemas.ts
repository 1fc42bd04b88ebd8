import * as z from 'zod';
import type { RestrictedMode } from '../../array/host.ts';
import { asSystemId } from '../../array/ids.ts';
import type { DescribedSystem } from '../../array/system.ts';

/* Loosely, as schemas.ts: what old versions leave out or write otherwise must not keep a host out. */

const text = z.string().nullish();
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const flag = z.union([z.boolean(), z.string().transform((word) => word.toLowerCase() === 'true')]).nullish();
const member = z.object({ ips: texts });

/** Whom the array lets in and where its MDMs are. Before 2.0 the addresses stood in the system itself. */
export const describedSystemSchema = z
  .object({
    id: z.string().min(1),
    restrictedSdcMode: text,
    restrictedSdcModeEnabled: flag,
    mdmCluster: z.object({ master: member.nullish(), slaves: z.array(member).nullish() }).nullish(),
    primaryMdmActorIpList: texts,
    secondaryMdmActorIpList: texts,
  })
  .transform((wire): DescribedSystem => {
    const managers = [wire.mdmCluster?.master, ...(wire.mdmCluster?.slaves ?? [])];
    const addresses = [
      ...managers.flatMap((manager) => manager?.ips ?? []),
      ...wire.primaryMdmActorIpList,
      ...wire.secondaryMdmActorIpList,
    ];
    return {
      id: asSystemId(wire.id),
      restrictedMode: modeOf(wire.restrictedSdcMode, wire.restrictedSdcModeEnabled),
      mdmAddresses: [...new Set(addresses)],
    };
  });

/** Before 3.6 there was only on and off, and on meant the GUID. */
function modeOf(mode: string | null | undefined, enabled: boolean | null | undefined): RestrictedMode {
  if (mode === 'Guid' || mode === 'ApprovedIp') return mode;
  return enabled === true ? 'Guid' : 'None';
}
