import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

it('the client in the docs is the one that make demo-api runs', () => {
  expect(text('docs/api.md')).toContain(`\`\`\`sh\n${text('lab/demo/self-service.sh')}\`\`\`\n`);
});
