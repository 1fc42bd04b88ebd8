/*
 * What drv_cfg prints, to the letter [CloudStack ScaleIOUtil, csi-powerflex get_vxflexos_info.sh, goscaleio
 * drv_cfg.go]. Ids are 16 lower-case hex digits, the GUID is an upper-case UUID.
 */

export interface MappedVolumeId {
  readonly systemId: string;
  readonly volumeId: string;
}

export interface MdmEntry {
  /** Undefined while none of the cluster's MDMs can be reached. */
  readonly connection: { systemId: string; sdcId: string; installationId: string } | undefined;
  readonly ips: readonly string[];
}

/** An unreachable cluster is listed with these [terraform-provider-powerflex sdc_host.go]. */
const NO_ID = '0000000000000000';

/** `--query_guid` */
export function guidOutput(guid: string): string {
  return `${guid}\n`;
}

/** `--query_vols` */
export function volumesOutput(volumes: readonly MappedVolumeId[]): string {
  const lines = volumes.map((volume) => `VOL-ID ${volume.volumeId} MDM-ID ${volume.systemId}\n`);
  return `Retrieved ${volumes.length} volume(s)\n${lines.join('')}`;
}

/** `--query_mdms` and its abbreviation `--query_mdm` */
export function mdmsOutput(mdms: readonly MdmEntry[]): string {
  const lines = mdms.map(({ connection, ips }) => {
    const { systemId, sdcId, installationId } = connection ?? {
      systemId: NO_ID,
      sdcId: NO_ID,
      installationId: NO_ID,
    };
    const addresses = ips.map((ip, index) => `[${index}]-${ip}`).join(' ');
    return `MDM-ID ${systemId} SDC ID ${sdcId} INSTALLATION ID ${installationId} IPs ${addresses}\n`;
  });
  return `Retrieved ${mdms.length} mdm(s)\n${lines.join('')}`;
}
