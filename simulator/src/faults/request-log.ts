/** One request that a gateway received. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** Position of the gateway among the listeners. */
  readonly gateway: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the client calls the work that it asks for, by its header X-Request-Id. */
  readonly requestId: string | undefined;
  /** 0 when no reply went out. */
  status: number;
  ms: number;
}

/** What the gateways were asked, so that tests can count. The oldest is forgotten when it gets too long. */
export class RequestLog {
  readonly #capacity: number;
  #requests: LoggedRequest[] = [];

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  add(request: LoggedRequest): void {
    if (this.#requests.length >= this.#capacity) this.#requests = this.#requests.slice(this.#capacity / 10);
    this.#requests.push(request);
  }

  all(): readonly LoggedRequest[] {
    return this.#requests;
  }

  clear(): void {
    this.#requests = [];
  }
}
