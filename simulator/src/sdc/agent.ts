import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answerControl, type ControlledSdc } from './control-commands.ts';
import { ControlSocket } from './control-socket.ts';
import { DeviceLinks, type NodeNaming } from './device-links.ts';
import type { MappedVolumeId, MdmEntry } from './drv-cfg-output.ts';
import { removeStaleHeldFiles } from './fence.ts';
import { formatConfig, hasHost, parseCluster, parseConfig, type MdmCluster } from './mdm-clusters.ts';
import type { SizeNews } from './mapped-volume.ts';
import { SdcAgentError } from './sdc-agent-error.ts';
import { System } from './system.ts';

const DEFAULT_APPEAR_DELAY_MS = 300;
const DEFAULT_MDM_PORT = 6611;

export interface AgentOptions {
  /** Upper-case UUID. */
  readonly guid: string;
  /** The address that the MDM shows for this SDC. */
  readonly ip: string;
  /** One entry per system: `http://10.0.0.1:7781` or several addresses with commas between. None: until add_mdm. */
  readonly mdms: readonly string[];
  /** The host's /dev; links appear in disk/by-id of it, and there is the socket `.scini` for drv_cfg. */
  readonly devDir: string;
  /** Of this SDC alone; drv_cfg.txt in it is read at start. */
  readonly stateDir: string;
  /** Shared with the MDM. */
  readonly fenceDir: string;
  /** The compiled scini program. */
  readonly scini: string;
  /** From the MDM's message to the device; 300 when left out. */
  readonly appearDelayMs?: number;
  /** How a device learns that its volume has grown; pushed when left out. */
  readonly sizeNews?: SizeNews;
  /** Of MDM addresses that are given without one; that of the first of `mdms`, else 6611 when left out. */
  readonly mdmPort?: number;
  readonly naming?: NodeNaming;
  readonly osType?: string;
  readonly version?: string;
  readonly log?: (line: string) => void;
}

/** The SDC of one simulated host. Made by startAgent. */
export class Agent implements ControlledSdc {
  readonly guid: string;
  readonly #options: AgentOptions;
  readonly #links: DeviceLinks;
  readonly #port: number;
  #systems: System[] = [];
  #socket: ControlSocket | undefined;
  #silent = false;

  constructor(options: AgentOptions) {
    this.guid = options.guid;
    this.#options = options;
    this.#links = new DeviceLinks({ devDir: options.devDir, naming: options.naming ?? 'loop' });
    const given = options.mdms.flatMap((text) => parseCluster(text, 0))[0]?.port;
    this.#port = options.mdmPort ?? given ?? DEFAULT_MDM_PORT;
  }

  /** Where drv_cfg reaches this agent. */
  get socketPath(): string {
    return join(this.#links.byId, '.scini');
  }

  /** Whether every system that was given lets this SDC in now. */
  get connected(): boolean {
    return this.#systems.every((system) => system.connection.welcome !== undefined);
  }

  /** Links of the devices that are there now, and the kernel names of what they lead to. */
  get devices(): ReadonlyMap<string, string> {
    const volumes = this.#systems.flatMap((system) => system.volumes);
    return new Map(
      volumes.flatMap((volume) => (volume.loop === undefined ? [] : [[volume.link, volume.loop]])),
    );
  }

  async start(): Promise<void> {
    const { stateDir, fenceDir, mdms } = this.#options;
    await mkdir(stateDir, { recursive: true });
    await mkdir(this.#links.byId, { recursive: true });
    this.#socket = await ControlSocket.open(this.socketPath, (words) => answerControl(this, words));
    await this.#links.clear();
    await removeStaleHeldFiles(fenceDir, this.guid);
    const clusters = mdms.map((text) => parseCluster(text, this.#port));
    for (const cluster of [...clusters, ...(await this.#savedClusters())]) {
      if (!this.#knows(cluster)) this.#add(cluster);
    }
  }

  /** Falls silent to the MDM, as behind a cut network; I/O goes on until the fence ends it. */
  silence(): void {
    this.#silent = true;
    for (const system of this.#systems) system.silence();
  }

  resume(): void {
    this.#silent = false;
    for (const system of this.#systems) system.start();
  }

  /** Ends in order and leaves nothing: I/O is dead, devices, links and `.held` files are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#systems.map((system) => system.close()));
    await this.#socket?.close();
  }

  /**
   * Ends as if the host lost power: I/O dies at once with what was not synced, links and `.held` files stay. Loop
   * devices leave as soon as nothing has them mounted or open.
   */
  async powerOff(): Promise<void> {
    await Promise.all(this.#systems.map((system) => system.powerOff()));
    await this.#socket?.close();
  }

  mappedVolumes(): readonly MappedVolumeId[] {
    return this.#systems.flatMap((system) => system.volumes.filter((volume) => volume.mapped));
  }

  mdmEntries(): readonly MdmEntry[] {
    return this.#systems.map((system) => system.entry);
  }

  config(): string {
    return formatConfig(this.#systems.map((system) => system.connection.cluster));
  }

  async rescan(): Promise<void> {
    await Promise.all(this.#systems.map((system) => system.rescan()));
  }

  addMdm(ips: string): boolean {
    const cluster = parseCluster(ips, this.#port);
    if (this.#knows(cluster)) return false;
    this.#add(cluster);
    return true;
  }

  changeMdm(ip: string, ips: string): boolean {
    const system = this.#systemAt(ip);
    system?.connection.moveTo(parseCluster(ips, this.#port));
    return system !== undefined;
  }

  async removeMdm(ip: string): Promise<boolean> {
    const system = this.#systemAt(ip);
    if (system === undefined) return false;
    await system.close();
    this.#systems = this.#systems.filter((each) => each !== system);
    return true;
  }

  #systemAt(ip: string): System | undefined {
    return this.#systems.find((system) => hasHost(system.connection.cluster, ip));
  }

  #knows(cluster: MdmCluster): boolean {
    return cluster.some((address) => this.#systemAt(address.host) !== undefined);
  }

  #add(cluster: MdmCluster): void {
    const { guid, ip, scini, fenceDir, stateDir, osType, version, log } = this.#options;
    const { appearDelayMs = DEFAULT_APPEAR_DELAY_MS, sizeNews = 'pushed' } = this.#options;
    const system = new System({
      cluster,
      hello: { guid, ip, osType: osType ?? 'Linux', version: version ?? 'R3_6.0.0' },
      host: {
        guid,
        scini,
        fenceDir,
        stateDir,
        appearDelayMs,
        sizeNews,
        links: this.#links,
        log: log ?? (() => undefined),
      },
    });
    this.#systems.push(system);
    if (!this.#silent) system.start();
  }

  async #savedClusters(): Promise<MdmCluster[]> {
    try {
      return parseConfig(await readFile(join(this.#options.stateDir, 'drv_cfg.txt'), 'utf8'), this.#port);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }
}

/**
 * Starts the SDC of one simulated host inside this process. Resolves when drv_cfg is answered; the connection to the
 * MDM is made after that and kept up. Throws SdcAgentError when the GUID is malformed or another agent runs there.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  if (!/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/.test(options.guid)) {
    throw new SdcAgentError(
      `The GUID "${options.guid}" is no upper-case UUID; give one such as uuidgen makes, in capitals`,
    );
  }
  const agent = new Agent(options);
  await agent.start();
  return agent;
}
