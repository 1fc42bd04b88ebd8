import type { MdmMessage } from '../sdc-protocol.ts';

/** The open stream to one SDC's agent. */
export interface SdcStream {
  send(message: MdmMessage): void;
  /** Drops the stream without a word. */
  drop(): void;
}

interface Connection {
  readonly stream: SdcStream;
  readonly waiting: Set<() => void>;
  /** When it last answered a ping, ms; undefined while it never has. */
  heardAt: number | undefined;
}

/** Which SDCs the MDM hears at this moment. Nothing of it outlives a restart. */
export class SdcConnections {
  readonly #connections = new Map<string, Connection>();

  isConnected(sdcId: string): boolean {
    return this.#connections.has(sdcId);
  }

  connected(): string[] {
    return [...this.#connections.keys()];
  }

  /** Takes a new stream; an older one of the same SDC is dropped. */
  attach(sdcId: string, stream: SdcStream): void {
    this.drop(sdcId);
    this.#connections.set(sdcId, { stream, waiting: new Set(), heardAt: undefined });
  }

  /** The stream has ended; nothing happens if another has taken its place. */
  detach(sdcId: string, stream: SdcStream): void {
    const connection = this.#connections.get(sdcId);
    if (connection?.stream !== stream) return;
    this.#connections.delete(sdcId);
    for (const done of connection.waiting) done();
  }

  /** Cuts an SDC off. */
  drop(sdcId: string): void {
    const connection = this.#connections.get(sdcId);
    if (connection === undefined) return;
    this.detach(sdcId, connection.stream);
    connection.stream.drop();
  }

  send(sdcId: string, message: MdmMessage): void {
    this.#connections.get(sdcId)?.stream.send(message);
  }

  broadcast(message: MdmMessage): void {
    for (const { stream } of this.#connections.values()) stream.send(message);
  }

  /** The SDC has answered a ping. */
  heard(sdcId: string, atMs: number): void {
    const connection = this.#connections.get(sdcId);
    if (connection !== undefined) connection.heardAt = atMs;
  }

  /** Cuts off who answered pings and has stopped to: a host without power or network sends no farewell. */
  dropSilent(sinceMs: number): void {
    for (const [sdcId, { heardAt }] of [...this.#connections]) {
      if (heardAt !== undefined && heardAt < sinceMs) this.drop(sdcId);
    }
  }

  /** The agent has acted on what it was last told. */
  acknowledge(sdcId: string): void {
    for (const done of this.#connections.get(sdcId)?.waiting ?? []) done();
  }

  /** Resolves at the SDC's next acknowledgement, when it is lost, or when the time is up. */
  async acknowledged(sdcId: string, timeoutMs: number): Promise<void> {
    const connection = this.#connections.get(sdcId);
    if (connection === undefined) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => {
      resolve(undefined);
    };
    const timer = setTimeout(done, timeoutMs);
    connection.waiting.add(done);
    await promise;
    clearTimeout(timer);
    connection.waiting.delete(done);
  }
}
