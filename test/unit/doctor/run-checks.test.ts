import { expect, test } from 'vitest';
import { AttachError } from '../../../src/errors.ts';
import { ok } from '../../../src/doctor/finding.ts';
import { runChecks } from '../../../src/doctor/run-checks.ts';

test('what hangs, fails or dies is a finding of its own, in its place, and stops nobody else', async () => {
  let stopped = false;
  const never = new Promise<never>(() => undefined);
  const findings = await runChecks(
    [
      {
        name: 'hangs',
        run: (signal) => {
          signal.addEventListener('abort', () => (stopped = true));
          return never;
        },
      },
      {
        name: 'refused',
        run: () =>
          Promise.reject(
            new AttachError('no SDC', { remedy: 'install it; really', problem: 'not-installed' }),
          ),
      },
      { name: 'bug', run: () => Promise.reject(new TypeError('x is not y')) },
      { name: 'well', run: () => Promise.resolve([ok('well', 'fine')]) },
    ],
    50,
  );
  expect(findings).toMatchObject([
    { check: 'hangs', severity: 'problem', says: expect.stringContaining('no answer') as string },
    { check: 'refused', severity: 'problem', says: 'no SDC', fix: 'install it; really' },
    { check: 'bug', severity: 'problem', says: expect.stringContaining('x is not y') as string },
    { check: 'well', severity: 'ok' },
  ]);
  expect(stopped).toBe(true);
});
