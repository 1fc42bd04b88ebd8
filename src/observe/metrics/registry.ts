import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** Between looks at the event loop's delay, ms: prom-client's 10 would wake an idle process 100 times a second. */
const LOOP_LOOK_MS = 200;

/** Which of our programs measures itself. */
export interface Build {
  readonly component: 'plugin' | 'steward';
  readonly version: string;
  /** Lines of its log that were lost since the start. */
  readonly droppedLines: () => number;
}

/** A registry that holds what every program of ours tells of itself: its build, its log, and prom-client's process metrics. */
export function createRegistry({ component, version, droppedLines }: Build): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
  const build = new Gauge({
    name: 'scaleio_build_info',
    help: 'Always 1; the labels say which program and version this is',
    labelNames: ['component', 'version'],
    registers: [registry],
  });
  build.set({ component, version }, 1);
  new Counter({
    name: 'scaleio_log_lines_dropped_total',
    help: 'Lines of the log that were lost because nobody read them',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(droppedLines());
    },
  });
  return registry;
}
