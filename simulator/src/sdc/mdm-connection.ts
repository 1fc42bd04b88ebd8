import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { ConnectRequest, MdmMessage, SdcVolume, WelcomeMessage } from '../sdc-protocol.ts';
import type { MdmAddress, MdmCluster } from './mdm-clusters.ts';
import { SdcAgentError } from './sdc-agent-error.ts';

/** The MDM pings each second; after three without one the connection counts as lost. */
const SILENCE_LIMIT_MS = 3000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;

export interface MdmConnectionOptions {
  readonly cluster: MdmCluster;
  readonly hello: ConnectRequest;
  /** The complete list, each time the MDM sends it; `first` once per connection. */
  readonly onVolumes: (volumes: readonly SdcVolume[], first: boolean) => void;
  readonly log: (line: string) => void;
}

/**
 * The connection of one SDC to the MDMs of one system: kept up, address after address, with growing pauses, until
 * `stop`. What the MDM sends is handed on in order.
 */
export class MdmConnection {
  readonly #options: MdmConnectionOptions;
  #cluster: MdmCluster;
  #at = 0;
  #welcome: WelcomeMessage | undefined;
  #stream: ClientRequest | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: MdmConnectionOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
  }

  get cluster(): MdmCluster {
    return this.#cluster;
  }

  /** What the MDM said when it let this SDC in; undefined while not connected. */
  get welcome(): WelcomeMessage | undefined {
    return this.#welcome;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  /** Drops the connection at once, without a word to the MDM, as a host does that loses its network. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#welcome = undefined;
  }

  /** Goes to other addresses of the same system from now on. */
  moveTo(cluster: MdmCluster): void {
    const running = this.#running;
    this.stop();
    this.#cluster = cluster;
    this.#at = 0;
    if (running) this.start();
  }

  /** Posts to the MDM that this SDC is connected to; false when it is not, or the message did not arrive. */
  async post(path: string, body: unknown): Promise<boolean> {
    if (this.#welcome === undefined) return false;
    try {
      const [response] = (await once(this.#send(path, body), 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode === 200;
    } catch (error) {
      this.#options.log(`POST ${path} to the MDM failed: ${String(error)}`);
      return false;
    }
  }

  #address(): MdmAddress {
    const address = this.#cluster[this.#at % this.#cluster.length];
    if (address === undefined) throw new SdcAgentError('An MDM cluster has no address; give at least one');
    return address;
  }

  #send(path: string, body: unknown): ClientRequest {
    const { host, port } = this.#address();
    const payload = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const sent = request({ host, port, path, method: 'POST', headers, agent: false });
    sent.setTimeout(SILENCE_LIMIT_MS, () => sent.destroy(new Error(`no answer in ${SILENCE_LIMIT_MS} ms`)));
    sent.end(payload);
    return sent;
  }

  #connect(): void {
    const stream = this.#send('/sdc/connect', this.#options.hello);
    this.#stream = stream;
    stream.on('response', (response) => {
      this.#listen(stream, response).catch((error: unknown) => stream.destroy(error as Error));
    });
    stream.on('error', (error) => {
      if (this.#running) this.#options.log(`The MDM cannot be reached: ${error.message}`);
    });
    stream.on('close', () => {
      if (this.#stream === stream) this.#reconnectLater();
    });
  }

  async #listen(stream: ClientRequest, response: IncomingMessage): Promise<void> {
    if (response.statusCode !== 200) throw new SdcAgentError(`the MDM answered ${await text(response)}`);
    let first = true;
    for await (const line of createInterface({ input: response })) {
      if (this.#stream !== stream) return;
      const message = JSON.parse(line) as MdmMessage;
      this.#handle(message, first);
      if (message.type === 'volumes') first = false;
    }
  }

  #handle(message: MdmMessage, first: boolean): void {
    switch (message.type) {
      case 'welcome':
        this.#welcome = message;
        this.#retryMs = FIRST_RETRY_MS;
        return;
      case 'volumes':
        this.#options.onVolumes(message.volumes, first);
        return;
      case 'refused':
        this.#options.log(`The MDM does not let this SDC in: ${message.reason}`);
        return;
      case 'ping':
        void this.post('/sdc/pong', { guid: this.#options.hello.guid });
        return;
    }
  }

  #reconnectLater(): void {
    this.#welcome = undefined;
    this.#stream = undefined;
    if (!this.#running) return;
    this.#at += 1;
    this.#retry = setTimeout(() => {
      this.#connect();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }
}
