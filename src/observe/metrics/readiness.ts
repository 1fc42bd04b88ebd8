import { Gauge, type Registry } from 'prom-client';

/** What one check found, from what is known already: a probe asks nobody. */
export interface Finding {
  readonly ready: boolean;
  /** For the operator, also when ready. */
  readonly reason: string;
}

export interface ReadinessCheck {
  /** A word, such as "gateway"; unique. */
  readonly name: string;
  /** Must answer at once and not throw. */
  look(): Finding;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: readonly ({ readonly name: string } & Finding)[];
}

/** Whether this program can do its work now: it can when every check says so. Shown at /readyz and as metric. */
export class Readiness {
  readonly #checks: readonly ReadinessCheck[];

  constructor(registry: Registry, checks: readonly ReadinessCheck[]) {
    this.#checks = checks;
    const report = (): ReadinessReport => this.report();
    new Gauge({
      name: 'scaleio_ready',
      help: '1 when a check of /readyz is fulfilled, else 0',
      labelNames: ['check'],
      registers: [registry],
      collect() {
        for (const { name, ready } of report().checks) this.set({ check: name }, ready ? 1 : 0);
      },
    });
  }

  report(): ReadinessReport {
    const checks = this.#checks.map((check) => ({ name: check.name, ...check.look() }));
    return { ready: checks.every(({ ready }) => ready), checks };
  }
}
