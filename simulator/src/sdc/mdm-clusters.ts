/** One address of an MDM and the port that SDCs connect to there. */
export interface MdmAddress {
  readonly host: string;
  readonly port: number;
}

/** The addresses of the MDMs of one system. */
export type MdmCluster = readonly MdmAddress[];

/** `http://10.0.0.1:7781,http://10.0.0.2:7781` or bare addresses, which get the port given. Throws RangeError. */
export function parseCluster(text: string, port: number): MdmCluster {
  const parts = text.split(',').map((part) => part.trim());
  return parts.map((part) => {
    const url = URL.parse(part.includes('://') ? part : `http://${bracketed(part)}:${port}`);
    if (url === null || url.hostname === '') throw new RangeError(`"${part}" is no address of an MDM`);
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port === '' ? port : url.port) };
  });
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** Whether one of the cluster's addresses is this one. */
export function hasHost(cluster: MdmCluster, host: string): boolean {
  return cluster.some((address) => address.host === host);
}

/** Lines of drv_cfg.txt, one per system: `mdm 10.0.0.1,10.0.0.2` [swisscom sdc.pp]. */
export function formatConfig(clusters: readonly MdmCluster[]): string {
  return clusters.map((cluster) => `mdm ${cluster.map((address) => address.host).join(',')}\n`).join('');
}

/** Reads what formatConfig writes; other lines are left aside, as the file also carries comments in the field. */
export function parseConfig(text: string, port: number): MdmCluster[] {
  const lines = text.split('\n').flatMap((line) => /^mdm\s+(\S+)\s*$/.exec(line)?.[1] ?? []);
  return lines.map((addresses) => parseCluster(addresses, port));
}
