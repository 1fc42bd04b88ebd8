/** One request as the gateway's log has it. */
export interface LoggedCall {
  readonly method: string;
  readonly path: string;
  readonly requestId?: string | undefined;
}

/** Where a count goes: the most of what was ever counted. */
interface Count {
  calls: number;
}

interface Note {
  readonly count: Count;
  readonly ids: ReadonlySet<string>;
  readonly isShared: boolean;
}

/** What the plugin does for itself or for everybody, by the beginning of its ids; and what is done here by hand. */
const BESIDE = ['reconcile-', 'join-', 'login-', 'pools-', 'growth-', 'undelete-', 'by-hand'];
/** A question that several calls put together. */
const TOGETHER = 'lookup-';
/** An operation of the plugin has a bare UUID. */
const OPERATION = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

/**
 * Counts the gateway's calls by the work that asked for them, whenever they came: what the reconciler or a sweep asks meanwhile is
 * no operation's, and what an operation asks after its answer is still its own.
 */
export class CallLedger {
  readonly #take: () => Promise<readonly LoggedCall[]>;
  readonly #notes: Note[] = [];
  readonly #strays: string[] = [];

  /** `take` gives what the gateways were asked since it was last asked. */
  constructor(take: () => Promise<readonly LoggedCall[]>) {
    this.#take = take;
  }

  /** Calls so far that belonged to no operation and to nothing that is done beside: whoever counts by ids must find none. */
  get strays(): readonly string[] {
    return this.#strays;
  }

  /** One operation by the id that its answer bore; counted when the ledger is settled. */
  note(count: Count, id: string): void {
    this.#notes.push({ count, ids: new Set([id]), isShared: false });
  }

  /** Operations at once, counted together with what they asked for together. Settle before and after. */
  noteTogether(count: Count, ids: readonly string[]): void {
    this.#notes.push({ count, ids: new Set(ids), isShared: true });
  }

  /** Counts what was asked since the last time. */
  async settle(): Promise<void> {
    const calls = await this.#take();
    const notes = this.#notes.splice(0);
    const isTogether = notes.some(({ isShared }) => isShared);
    for (const { count, ids, isShared } of notes) {
      const own = calls.filter(
        ({ requestId = '' }) => ids.has(requestId) || (isShared && isOfSeveral(requestId)),
      );
      count.calls = Math.max(count.calls, own.length);
    }
    const strays = calls.filter(
      ({ requestId = '' }) =>
        !OPERATION.test(requestId) &&
        !BESIDE.some((kind) => requestId.startsWith(kind)) &&
        !(isTogether && isOfSeveral(requestId)),
    );
    this.#strays.push(...strays.map(({ method, path }) => `${method} ${path}`));
  }
}

function isOfSeveral(id: string): boolean {
  return id.startsWith(TOGETHER);
}
