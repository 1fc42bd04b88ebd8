import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Between looks at the event loop's delay, ms: prom-client's 10 would wake an idle process 100 times a second. */
const LOOP_LOOK_MS = 200;

/** Which of our programs measures itself. */
export interface Build {
  readonly component: 'plugin' | 'steward';
  readonly version: string;
}

/** A registry that holds what every program of ours tells of itself: its build, and prom-client's process metrics. */
export function createRegistry({ component, version }: Build): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
  const build = new Gauge({
    name: 'scaleio_build_info',
    help: 'Always 1; the labels say which program and version this is',
    labelNames: ['component', 'version'],
    registers: [registry],
  });
  build.set({ component, version }, 1);
  return registry;
}
