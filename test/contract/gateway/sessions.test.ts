import { expect, test } from 'vitest';
import { simulated, soon } from './simulated.ts';

test.each([
  ['2.6', false],
  ['3.6', false],
  ['4.5', false],
  ['4.5', true],
] as const)(
  'rule 18: no session is left on a %s, its own log-in alone: %s',
  async (version, isPlatformOnly) => {
    const { simulator, gateway } = await simulated({ version });
    if (isPlatformOnly)
      simulator.faults.add({
        kind: 'error',
        path: '^/api/login$',
        status: 404,
        body: '<html>no such page</html>',
      });
    await gateway.identity(soon());
    expect(simulator.sessions.count).toBeGreaterThan(0);
    await gateway.close();
    expect(simulator.sessions.count).toBe(0);
  },
);
