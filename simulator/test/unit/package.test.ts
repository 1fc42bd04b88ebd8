import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');

async function dependenciesIn(file: string): Promise<Readonly<Record<string, string>>> {
  const read = JSON.parse(await readFile(path.join(root, file), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  return read.dependencies;
}

test('libraries that the plugin uses too are of the same version, so that each is installed and bundled once', async () => {
  const [own, plugins] = await Promise.all(['simulator/package.json', 'package.json'].map(dependenciesIn));
  const shared = Object.entries(own ?? {}).filter(([name]) => plugins?.[name] !== undefined);
  expect(shared.length).toBeGreaterThan(2);
  for (const [name, version] of shared) expect(`${name} ${version}`).toBe(`${name} ${plugins?.[name] ?? ''}`);
});
