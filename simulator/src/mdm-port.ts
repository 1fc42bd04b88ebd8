import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { SimulatedArray } from './array/array.ts';
import type { Faults } from './faults/faults.ts';
import { listen } from './listening.ts';
import { introduceSdc, isApproved } from './mdm/sdcs.ts';
import type { MdmMessage } from './sdc-protocol.ts';
import type { SdcStream } from './hosts/sdc-connections.ts';

const PING_MS = 1000;
/** Pings without an answer after which an SDC counts as disconnected, ms. */
const SILENCE_MS = 4000;

const guid = z.string().transform((text) => text.toUpperCase());
const connectSchema = z.object({
  guid,
  ip: z.string(),
  osType: z.string().optional(),
  version: z.string().optional(),
});
const ackSchema = z.object({ guid, volumeIds: z.array(z.string()) });
const guidSchema = z.object({ guid });
const count = z.number().min(0);
const ioSchema = z.object({
  guid,
  volumes: z.array(
    z.object({
      volumeId: z.string(),
      readKiB: count,
      reads: count,
      writeKiB: count,
      writes: count,
      seconds: count,
    }),
  ),
});

export interface MdmPortParts {
  readonly array: SimulatedArray;
  readonly faults: Faults;
  readonly host: string;
  readonly port: number;
  readonly extend: (app: FastifyInstance) => void;
}

/** Where the SDCs' agents reach the MDM: see sdc-protocol.ts. */
export class MdmPort {
  readonly #parts: MdmPortParts;
  readonly #app: FastifyInstance;
  #ping: NodeJS.Timeout | undefined;

  constructor(parts: MdmPortParts) {
    this.#parts = parts;
    this.#app = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 16 * 1024 * 1024 });
    this.#app.post('/sdc/connect', (request, reply) => this.#connect(request, reply));
    this.#app.post('/sdc/ack', (request) => this.#acknowledge(ackSchema.parse(request.body).guid));
    this.#app.post('/sdc/pong', (request) => this.#hear(guidSchema.parse(request.body).guid));
    this.#app.post('/sdc/rescan', (request) => this.#rescan(guidSchema.parse(request.body).guid));
    this.#app.post('/sdc/io', (request) => this.#count(ioSchema.parse(request.body)));
    this.#app.setErrorHandler((error, _, reply) => {
      const message = error instanceof Error ? error.message : String(error);
      return reply.code(400).send({ message });
    });
    parts.extend(this.#app);
  }

  get url(): string {
    const { host } = this.#parts;
    const address = this.#app.server.address();
    const port = address !== null && typeof address === 'object' ? address.port : this.#parts.port;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async listen(): Promise<void> {
    const { host, port, array } = this.#parts;
    await listen(this.#app, { what: 'MDM', flag: '--mdm-listen', host, port });
    this.#ping = setInterval(() => {
      array.connections.dropSilent(performance.now() - SILENCE_MS);
      array.connections.broadcast({ type: 'ping' });
    }, PING_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#ping);
    await this.#app.close();
  }

  async #connect(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { array, faults } = this.#parts;
    const hello = connectSchema.parse(request.body);
    if (faults.silent.has(hello.guid)) {
      void reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    const introduction = { ...hello, softwareVersion: hello.version };
    const sdc = await array.perform((cluster) => introduceSdc(cluster, introduction));
    void reply.hijack();
    const stream = streamTo(reply);
    if (!isApproved(array.cluster, sdc)) {
      stream.send({ type: 'refused', reason: 'not approved' });
      reply.raw.end();
      return;
    }
    reply.raw.on('close', () => {
      array.connections.detach(sdc.id, stream);
    });
    await array.hosts.admit();
    const { id: systemId, installId: installationId, mdmIps } = array.cluster.state.system();
    stream.send({ type: 'welcome', systemId, sdcId: sdc.id, installationId, mdmIps });
    if (reply.raw.destroyed) return;
    array.connections.attach(sdc.id, stream);
    array.hosts.sendVolumes(sdc.id);
  }

  #sdcId(guidOf: string): string {
    const id = this.#parts.array.cluster.state.sdcsByGuid.first(guidOf);
    if (id === undefined) throw new Error(`SDC "${guidOf}" has never connected`);
    return id;
  }

  #acknowledge(guidOf: string): object {
    this.#parts.array.connections.acknowledge(this.#sdcId(guidOf));
    return {};
  }

  #hear(guidOf: string): object {
    this.#parts.array.connections.heard(this.#sdcId(guidOf), performance.now());
    return {};
  }

  #rescan(guidOf: string): object {
    this.#parts.array.hosts.sendVolumes(this.#sdcId(guidOf));
    return {};
  }

  #count(report: z.infer<typeof ioSchema>): object {
    this.#parts.array.io.add(this.#sdcId(report.guid), report.volumes);
    return {};
  }
}

function streamTo(reply: FastifyReply): SdcStream {
  reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  return {
    send: (message: MdmMessage) => {
      reply.raw.write(`${JSON.stringify(message)}\n`);
    },
    drop: () => {
      reply.raw.destroy();
    },
  };
}
