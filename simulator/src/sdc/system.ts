import type { ConnectRequest, SdcVolume } from '../sdc-protocol.ts';
import type { MdmEntry } from './drv-cfg-output.ts';
import { MappedVolume, type MappedVolumeHost } from './mapped-volume.ts';
import type { MdmCluster } from './mdm-clusters.ts';
import { MdmConnection } from './mdm-connection.ts';

const IO_REPORT_MS = 1000;

export interface SystemOptions {
  readonly cluster: MdmCluster;
  readonly hello: ConnectRequest;
  readonly host: Omit<MappedVolumeHost, 'onChange' | 'connected'>;
}

/** One ScaleIO system as this SDC sees it: its MDMs and the volumes that are mapped here. */
export class System {
  readonly #options: SystemOptions;
  readonly #connection: MdmConnection;
  readonly #volumes = new Map<string, MappedVolume>();
  #reports: NodeJS.Timeout | undefined;
  #resized: Promise<unknown> = Promise.resolve();

  constructor(options: SystemOptions) {
    this.#options = options;
    this.#connection = new MdmConnection({
      cluster: options.cluster,
      hello: options.hello,
      log: options.host.log,
      onVolumes: (volumes, first) => {
        this.#take(volumes, first);
      },
    });
  }

  get connection(): MdmConnection {
    return this.#connection;
  }

  get volumes(): readonly MappedVolume[] {
    return [...this.#volumes.values()];
  }

  /** For `drv_cfg --query_mdms`. */
  get entry(): MdmEntry {
    const { welcome, cluster } = this.#connection;
    return { connection: welcome, ips: welcome?.mdmIps ?? cluster.map((address) => address.host) };
  }

  start(): void {
    this.#connection.start();
    this.#reports ??= setInterval(() => {
      this.#reportIo().catch(this.#log);
    }, IO_REPORT_MS);
  }

  /** Stops hearing and telling; devices stay as they are, unless the fence takes them. */
  silence(): void {
    clearInterval(this.#reports);
    this.#reports = undefined;
    this.#connection.stop();
  }

  /** Asks for the list and takes new sizes; resolves when the devices have them. */
  async rescan(): Promise<void> {
    await this.#connection.post('/sdc/rescan', { guid: this.#options.hello.guid });
    await this.#takeSizes();
  }

  /** Gives all devices up in order. */
  async close(): Promise<void> {
    this.silence();
    await this.#drop(this.volumes);
  }

  /** Ends as a host does that loses power. */
  async powerOff(): Promise<void> {
    this.silence();
    await Promise.all(this.volumes.map((volume) => volume.kill()));
  }

  readonly #log = (error: unknown): void => {
    this.#options.host.log(String(error));
  };

  #take(volumes: readonly SdcVolume[], first: boolean): void {
    const listed = new Set(volumes.map((volume) => volume.volumeId));
    const dropped = this.volumes.filter((volume) => !listed.has(volume.volumeId));
    for (const volume of volumes) this.#mappedVolume(volume.volumeId).want(volume);
    if (first) this.#resized = this.#takeSizes().catch(this.#log);
    this.#drop(dropped).then(() => this.#acknowledge(), this.#log);
  }

  async #takeSizes(): Promise<void> {
    await this.#resized;
    await Promise.all(this.volumes.map((volume) => volume.rescan()));
  }

  async #drop(volumes: readonly MappedVolume[]): Promise<void> {
    for (const volume of volumes) volume.want(undefined);
    await Promise.all(volumes.map((volume) => volume.settled()));
    for (const volume of volumes) {
      if (!volume.mapped) this.#volumes.delete(volume.volumeId);
    }
  }

  #mappedVolume(volumeId: string): MappedVolume {
    const known = this.#volumes.get(volumeId);
    if (known !== undefined) return known;
    const host: MappedVolumeHost = {
      ...this.#options.host,
      connected: () => this.#connection.welcome !== undefined,
      onChange: () => {
        this.#acknowledge().catch(this.#log);
      },
    };
    const volume = new MappedVolume(host, this.#connection.welcome?.systemId ?? '', volumeId);
    this.#volumes.set(volumeId, volume);
    return volume;
  }

  async #acknowledge(): Promise<void> {
    const volumeIds = this.volumes.filter((volume) => volume.loop !== undefined).map((each) => each.volumeId);
    await this.#connection.post('/sdc/ack', { guid: this.#options.hello.guid, volumeIds });
  }

  async #reportIo(): Promise<void> {
    const reports = await Promise.all(this.volumes.map((volume) => volume.takeIo(IO_REPORT_MS / 1000)));
    const volumes = reports.filter((report) => report !== undefined);
    if (volumes.length > 0) {
      await this.#connection.post('/sdc/io', { guid: this.#options.hello.guid, volumes });
    }
  }
}
