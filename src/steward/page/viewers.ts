import type { ServerResponse } from 'node:http';
import type { Pulse } from './page-data.ts';

/*
 * Written by hand on purpose. The few lines of the protocol are not what libraries for server-sent events would save; what is promised
 * here, that a viewer which takes nothing costs no memory, gets the newest when it reads again, and is let go of in the end, they lack.
 */

const MOST = 32;
/** A viewer that takes nothing for so long is gone, or does not want to know. */
const STALLED_MS = 60_000;

interface Viewer {
  readonly stream: Pick<ServerResponse, 'write' | 'destroy'>;
  /** Since when it takes nothing, ms of the clock; undefined while it does. */
  stalledSince: number | undefined;
  /** Something was left out for it meanwhile. */
  missed: boolean;
}

/** The open event streams. Nothing piles up for a viewer that is slow: it is sent the latest when it can take more. */
export class Viewers {
  readonly #pulse: () => Pulse;
  readonly #elapsed: () => number;
  readonly #viewers = new Set<Viewer>();

  constructor(parts: { readonly pulse: () => Pulse; readonly elapsed: () => number }) {
    this.#pulse = parts.pulse;
    this.#elapsed = parts.elapsed;
  }

  get count(): number {
    return this.#viewers.size;
  }

  get isFull(): boolean {
    return this.#viewers.size >= MOST;
  }

  /** Sends the first pulse at once and every later one until the stream closes. */
  add(stream: ServerResponse): void {
    const viewer: Viewer = { stream, stalledSince: undefined, missed: false };
    this.#viewers.add(viewer);
    stream.on('close', () => this.#viewers.delete(viewer));
    // A connection that breaks is told by "close" as well.
    stream.on('error', () => this.#viewers.delete(viewer));
    stream.on('drain', () => {
      viewer.stalledSince = undefined;
      if (viewer.missed) this.#send(viewer, this.#text());
    });
    this.#send(viewer, this.#text());
  }

  /** Tells every viewer how things stand. */
  pulse(): void {
    if (this.#viewers.size === 0) return;
    const text = this.#text();
    for (const viewer of this.#viewers) this.#send(viewer, text);
  }

  close(): void {
    for (const { stream } of this.#viewers) stream.destroy();
  }

  #text(): string {
    return `event: pulse\ndata: ${JSON.stringify(this.#pulse())}\n\n`;
  }

  #send(viewer: Viewer, text: string): void {
    const { stalledSince } = viewer;
    viewer.missed = stalledSince !== undefined;
    if (stalledSince === undefined) {
      if (!viewer.stream.write(text)) viewer.stalledSince = this.#elapsed();
    } else if (this.#elapsed() - stalledSince > STALLED_MS) viewer.stream.destroy();
  }
}
