import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** `seconds`: what only a test that hangs needs, also on a machine with much else to do; no test measures time by it. */
const project = (name: string, include: string[], seconds: number, more: object = {}) => ({
  extends: true as const,
  test: { name, include, testTimeout: seconds * 1000, hookTimeout: seconds * 1000, ...more },
});

/** What they make on this machine stands in the way of another file's. */
const oneByOne = { fileParallelism: false };

/** They keep nothing in modules, so files may share them: half of a second each, of computing, is saved. */
const shared = { isolate: false };

/** A machine has one processor; each has disks of its own above one image. */
const twoMachines = { maxWorkers: 2 };

/** Each lab has namespaces and a directory of its own, and mostly waits, so three share two cores well. */
const threeLabs = { maxWorkers: 3, globalSetup: 'plugin/built.ts' };

export default defineConfig({
  test: {
    environment: 'node',
    sequence: { sequencer: LongestFirst },
    setupFiles: ['lab/secrets/simulated.ts'],
    mockReset: true,
    // vitest's own second is short on a machine with much else to do.
    expect: { poll: { timeout: 20_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'simulator/src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'simulator/test/unit/**/*.test.ts'], 60, shared),
      project('contract', ['test/contract/**/*.test.ts', 'simulator/test/contract/**/*.test.ts'], 60, shared),
      project(
        'integration',
        ['test/integration/**/*.test.ts', 'simulator/test/integration/**/*.test.ts'],
        60,
        oneByOne,
      ),
      project('e2e', ['test/e2e/**/*.test.ts'], 300, threeLabs),
      project('vm', ['test/vm/**/*.test.ts'], 1800, twoMachines),
      // What takes minutes of computing: make soak runs it.
      project('long', ['test/long/**/*.test.ts'], 1800),
      project('engines', ['test/engines/**/*.test.ts'], 600, oneByOne),
    ],
  },
});
