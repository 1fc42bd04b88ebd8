import type { DeviceFault } from '../sdc-protocol.ts';

/**
 * What happens to requests that fit: `error` answers with a status and body; `cut` cuts the connection before anything
 * is done; `reply-lost` does what was asked and cuts it then; `delay` waits first.
 */
export interface FaultRule {
  readonly kind: 'error' | 'cut' | 'reply-lost' | 'delay';
  /** Regular expression on the path; all paths when absent. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  /** How many requests it hits; all when absent. */
  readonly count?: number | undefined;
  /** How many fitting requests pass before it begins to hit. */
  readonly after?: number | undefined;
  readonly gateway?: number | undefined;
  readonly status?: number | undefined;
  /** JSON body; an HTML page when it is a string. */
  readonly body?: unknown;
  readonly delayMs?: number | undefined;
}

interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  readonly path: RegExp;
  left: number;
  passing: number;
}

interface Latency {
  readonly fixedMs: number;
  readonly jitterMs: number;
}

const NO_LATENCY: Latency = { fixedMs: 0, jitterMs: 0 };

/** What is made to go wrong at present. */
export class Faults {
  readonly #elapsed: () => number;
  #rules: ActiveRule[] = [];
  #nextId = 1;
  #failoverUntil = Number.NEGATIVE_INFINITY;
  latency = NO_LATENCY;
  /** GUIDs of SDCs that the MDM shall not hear. */
  readonly silent = new Set<string>();
  readonly #devices = new Map<string, DeviceFault>();
  #allDevices: DeviceFault | undefined;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Adds a rule and gives its number. Throws SyntaxError for a wrong regular expression. */
  add(rule: FaultRule): number {
    const id = this.#nextId++;
    const left = rule.count ?? Number.POSITIVE_INFINITY;
    this.#rules.push({ id, rule, path: new RegExp(rule.path ?? ''), left, passing: rule.after ?? 0 });
    return id;
  }

  remove(id: number): void {
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
  }

  rules(): { id: number; rule: FaultRule; left: number }[] {
    return this.#rules.map(({ id, rule, left }) => ({ id, rule, left }));
  }

  /** The rules that hit this request; each is used up by one. */
  hitting(request: {
    readonly method: string;
    readonly path: string;
    readonly gateway: number;
  }): FaultRule[] {
    const hits: FaultRule[] = [];
    for (const active of this.#rules) {
      const { rule } = active;
      const fits =
        (rule.method === undefined || rule.method === request.method) &&
        (rule.gateway === undefined || rule.gateway === request.gateway) &&
        active.path.test(request.path);
      if (!fits || active.left <= 0) continue;
      if (active.passing > 0) active.passing -= 1;
      else {
        active.left -= 1;
        hits.push(rule);
      }
    }
    return hits;
  }

  /** Milliseconds to wait before a request is served. `random` is from 0 to 1. */
  delayMs(random: number): number {
    return this.latency.fixedMs + random * this.latency.jitterMs;
  }

  /** The MDMs change over: for so long the gateways find none. */
  failOver(seconds: number): void {
    this.#failoverUntil = this.#elapsed() + seconds * 1000;
  }

  get failingOver(): boolean {
    return this.#elapsed() < this.#failoverUntil;
  }

  /** Sets what becomes of a volume's device on hosts, or of all devices; undefined ends it. */
  setDeviceFault(volumeId: string | undefined, fault: DeviceFault | undefined): void {
    if (volumeId === undefined) this.#allDevices = fault;
    else if (fault === undefined) this.#devices.delete(volumeId);
    else this.#devices.set(volumeId, fault);
  }

  deviceFaultOf(volumeId: string): DeviceFault | undefined {
    return this.#devices.get(volumeId) ?? this.#allDevices;
  }

  /** Everything works again. */
  clear(): void {
    this.#rules = [];
    this.#failoverUntil = Number.NEGATIVE_INFINITY;
    this.latency = NO_LATENCY;
    this.silent.clear();
    this.#devices.clear();
    this.#allDevices = undefined;
  }
}
