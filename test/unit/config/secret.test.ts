import { format, inspect } from 'node:util';

import { expect, it } from 'vitest';

import { Secret } from '../../../src/config/secret.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

it('a secret shows itself only when told to', () => {
  const password = newSecret('password');
  const secret = new Secret(password);
  const shown = [
    String(secret),
    `the ${secret.toString()}`,
    JSON.stringify({ secret }),
    inspect({ deep: [secret] }, { showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    Object.entries(secret).join(),
  ];
  expect(shown.join()).not.toContain(password);
  expect(String(secret)).toBe('***');
  expect(secret.reveal()).toBe(password);
});
