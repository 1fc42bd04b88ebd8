import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { parsePolicy } from '../../../src/steward/policy-file.ts';
import { policySchema } from '../../../src/steward/policy.ts';

const page = readFileSync(new URL('../../../docs/steward.md', import.meta.url), 'utf8');
const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];

test('the policy in docs/steward.md is right, and dry', () => {
  expect(parsePolicy(example, 'docs/steward.md').act).toBe(false);
});

test('and names every key there is', () => {
  const keys: string[] = [];
  JSON.stringify(z.toJSONSchema(policySchema, { io: 'input' }), (key, value: unknown) => {
    if (key === 'properties' && typeof value === 'object' && value !== null) keys.push(...Object.keys(value));
    return value;
  });
  expect(keys.length).toBeGreaterThan(20);
  for (const key of keys) expect(example).toMatch(new RegExp(`(^|[\\s{])${key}:`));
});
