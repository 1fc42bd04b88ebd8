import { defineConfig } from 'vitest/config';

/** `seconds`: what only a test that hangs needs, also on a machine with much else to do; no test measures time by it. */
const project = (name: string, include: string[], seconds: number, parallel = true) => ({
  extends: true as const,
  test: {
    name,
    include,
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    fileParallelism: parallel,
  },
});

export default defineConfig({
  test: {
    environment: 'node',
    setupFiles: ['test/secrets/simulated.ts'],
    mockReset: true,
    restoreMocks: true,
    unstubEnvs: true,
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'json-summary'] },
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], 60),
      project('contract', ['test/contract/**/*.test.ts'], 60),
      project('integration', ['test/integration/**/*.test.ts'], 60, false),
      project('e2e', ['test/e2e/**/*.test.ts'], 300, false),
      project('engines', ['test/engines/**/*.test.ts'], 600, false),
    ],
  },
});
