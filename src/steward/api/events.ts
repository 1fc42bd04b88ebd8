import type { ServerResponse } from 'node:http';
import type { AuditRecord, News } from '../ports.ts';
import { ApiRefusal } from './problem.ts';
import type { Grant } from './tokens.ts';

/** What the steward decided, what was asked of it, and what became of pools. */
export type StewardEvent = ({ readonly event: 'audit' } & AuditRecord) | ({ readonly event: 'news' } & News);

type Stream = Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'on' | 'writableLength'>;

interface Listener {
  readonly grant: Grant;
  readonly stream: Stream;
  readonly since: number;
}

const MOST = 64;
const MOST_OF_ONE_TOKEN = 8;
const KEPT = 200;
/** What a listener that takes nothing may leave lying, bytes. */
const MOST_UNREAD = 64 * 1024;
/** After that whoever listens has to show his token again. */
const LONGEST_MS = 5 * 60_000;

/** Server-sent events to those who listen, each with what its token may see. The last 200 are kept for those who come again. */
export class EventStreams {
  readonly #elapsed: () => number;
  readonly #run: string;
  readonly #listeners = new Set<Listener>();
  #events: readonly { readonly number: number; readonly event: StewardEvent }[] = [];
  #count = 0;

  /** `run`: another one for each start of the steward, so that numbers of an earlier one are not taken for its own. */
  constructor({ elapsed, run }: { readonly elapsed: () => number; readonly run: string }) {
    this.#elapsed = elapsed;
    this.#run = run;
  }

  tell(event: StewardEvent): void {
    this.#count += 1;
    const numbered = { number: this.#count, event };
    this.#events = [...this.#events.slice(1 - KEPT), numbered];
    for (const listener of this.#listeners) this.#send(listener, numbered);
  }

  /** Throws ApiRefusal (503) where too many listen. */
  assertRoom(grant: Grant): void {
    const own = [...this.#listeners].filter((one) => one.grant.name === grant.name);
    if (this.#listeners.size < MOST && own.length < MOST_OF_ONE_TOKEN) return;
    throw new ApiRefusal(
      503,
      'TOO_MANY_LISTENERS',
      'too many listen to events now; close one, or ask again later',
      {
        'retry-after': '30',
      },
    );
  }

  /** Sends what happened behind `lastId` (undefined: nothing of the past), and what happens from now on. */
  add(grant: Grant, stream: Stream, lastId: string | undefined): void {
    const listener = { grant, stream, since: this.#elapsed() };
    this.#listeners.add(listener);
    const forget = (): void => void this.#listeners.delete(listener);
    stream.on('close', forget);
    stream.on('error', forget);
    stream.write(': welcome\n\n');
    if (lastId === undefined) return;
    const [run, number] = lastId.split('-');
    const after = run === this.#run ? Number(number) : 0;
    for (const one of this.#events) if (one.number > after) this.#send(listener, one);
  }

  /** Lets listeners know that the steward is there, and ends those who have listened for long. */
  beat(): void {
    for (const { stream, since } of this.#listeners)
      if (this.#elapsed() - since >= LONGEST_MS) stream.end();
      else stream.write(': \n\n');
  }

  #send({ grant, stream }: Listener, { number, event }: { number: number; event: StewardEvent }): void {
    if (!maySee(grant, event)) return;
    if (stream.writableLength > MOST_UNREAD) stream.destroy();
    else
      stream.write(`id: ${this.#run}-${number}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

/** Of volumes only those that the token may touch; what does not say which volumes it is about is for tokens for all. */
function maySee({ volumes }: Grant, event: StewardEvent): boolean {
  if (volumes.isEverything || event.event === 'news') return true;
  if (event.volumes !== undefined) return event.volumes.every((name) => volumes.matches(name));
  return event.action === 'grow' || event.action === 'alert';
}
