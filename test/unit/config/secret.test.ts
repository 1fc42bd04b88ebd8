import { format, inspect } from 'node:util';

import { expect, it } from 'vitest';

import { Secret } from '../../../src/config/secret.ts';

it('a secret shows itself only when told to', () => {
  const secret = new Secret('hunter2');
  const shown = [
    String(secret),
    `the ${secret.toString()}`,
    JSON.stringify({ secret }),
    inspect({ deep: [secret] }, { showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    Object.entries(secret).join(),
  ];
  expect(shown.join()).not.toContain('hunter2');
  expect(String(secret)).toBe('***');
  expect(secret.reveal()).toBe('hunter2');
});
