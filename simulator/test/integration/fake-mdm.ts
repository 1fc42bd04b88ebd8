import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { AckRequest, ConnectRequest, IoReport, MdmMessage, SdcVolume } from '../../src/sdc-protocol.ts';

export const SYSTEM_ID = '218ce1797566a00f';
export const INSTALLATION_ID = '68ab55462cbb3ae4';

/** The MDM's side of the protocol, as small as can be: the test decides what is mapped where. */
export class FakeMdm {
  readonly fenceDir: string;
  readonly acks: AckRequest[] = [];
  readonly io: IoReport[] = [];
  readonly hellos: ConnectRequest[] = [];
  pings = true;
  refuses: string | undefined;
  readonly #streams = new Map<string, ServerResponse>();
  readonly #mapped = new Map<string, SdcVolume[]>();
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;

  constructor(dir: string) {
    this.fenceDir = join(dir, 'fence');
    mkdirSync(this.fenceDir, { recursive: true });
    this.#server = createServer((request, response) => {
      void this.#answer(request.url ?? '', json(request), response);
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#timer = setInterval(() => {
      if (this.pings) for (const guid of this.#streams.keys()) this.#send(guid, { type: 'ping' });
    }, 500);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  connected(guid: string): boolean {
    return this.#streams.has(guid);
  }

  /** Maps for exactly these SDCs: the fence first, then the lists. */
  map(volume: SdcVolume, guids: readonly string[]): void {
    const draft = join(this.fenceDir, `.${volume.volumeId}.new`);
    writeFileSync(draft, JSON.stringify({ volumeId: volume.volumeId, allowed: guids }));
    renameSync(draft, join(this.fenceDir, volume.volumeId));
    for (const guid of new Set([...this.#mapped.keys(), ...guids])) {
      const others = (this.#mapped.get(guid) ?? []).filter((each) => each.volumeId !== volume.volumeId);
      this.#mapped.set(guid, guids.includes(guid) ? [...others, volume] : others);
      this.#list(guid);
    }
  }

  #list(guid: string): void {
    this.#send(guid, { type: 'volumes', volumes: this.#mapped.get(guid) ?? [] });
  }

  #send(guid: string, message: MdmMessage): void {
    this.#streams.get(guid)?.write(`${JSON.stringify(message)}\n`);
  }

  async #answer(url: string, body: Promise<unknown>, response: ServerResponse): Promise<void> {
    const message = await body;
    if (url === '/sdc/connect') {
      this.#welcome(message as ConnectRequest, response);
      return;
    }
    if (url === '/sdc/ack') this.acks.push(message as AckRequest);
    else if (url === '/sdc/io') this.io.push(message as IoReport);
    else if (url === '/sdc/rescan') this.#list((message as AckRequest).guid);
    else response.statusCode = 404;
    response.end('{}');
  }

  #welcome(hello: ConnectRequest, response: ServerResponse): void {
    this.hellos.push(hello);
    if (this.refuses !== undefined) {
      response.end(`${JSON.stringify({ type: 'refused', reason: this.refuses })}\n`);
      return;
    }
    this.#streams.set(hello.guid, response);
    response.on('close', () => {
      if (this.#streams.get(hello.guid) === response) this.#streams.delete(hello.guid);
    });
    this.#send(hello.guid, {
      type: 'welcome',
      systemId: SYSTEM_ID,
      sdcId: '6b18479c00000003',
      installationId: INSTALLATION_ID,
      mdmIps: ['10.0.0.1', '10.0.0.2'],
    });
    this.#list(hello.guid);
  }
}
