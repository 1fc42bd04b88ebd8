import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { formsOf } from './forms.ts';
import type { UsedSecret } from '../../lab/secrets/used.ts';

/** Where a secret stands; the secret itself is in no field. */
export interface Leak {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** Result of a search; `files` are those with content, by their path below the searched directory. */
export interface Findings {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly leaks: readonly Leak[];
}

/** Every secret that the tests of a run noted below `directory`, each once. */
export async function readSecrets(directory: string): Promise<UsedSecret[]> {
  const noted = new Map<string, UsedSecret>();
  for (const name of await readdir(directory)) {
    const lines = (await readFile(path.join(directory, name), 'utf8')).split('\n').filter(Boolean);
    for (const used of lines.map((line) => JSON.parse(line) as UsedSecret)) noted.set(used.secret, used);
  }
  return [...noted.values()];
}

/** Looks for secrets, in each of their forms, in every file below a directory. Throws when it cannot look. */
export async function searchFor(secrets: readonly UsedSecret[], directory: string): Promise<Findings> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return { file: path.relative(directory, file), bytes: (await stat(file)).size };
      }),
  );
  const full = found.filter(({ bytes }) => bytes > 0);
  const bytes = full.reduce((sum, one) => sum + one.bytes, 0);
  const leaks = secrets.length === 0 ? [] : await leaksIn(directory, secrets);
  return { files: full.map(({ file }) => file), bytes, leaks };
}

/** grep takes tens of thousands of texts at once, from its input, so that no secret stands among its arguments. */
async function leaksIn(directory: string, secrets: readonly UsedSecret[]): Promise<Leak[]> {
  const whatOf = new Map(
    secrets.flatMap(({ what, secret }) => [...formsOf(secret)].map((form) => [form, what])),
  );
  const flags = ['--recursive', '--fixed-strings', '--text', '--only-matching', '--line-number', '--null'];
  const options = {
    cwd: directory,
    input: [...whatOf.keys()].join('\n'),
    reject: false,
    env: { LC_ALL: 'C' },
  };
  const result = await execa('grep', [...flags, '--file=-', '--', '.'], { ...options, encoding: 'utf8' });
  if (result.exitCode === 1) return [];
  if (result.exitCode !== 0) throw new Error(`grep could not search ${directory}: ${result.stderr}`);
  return result.stdout.split('\n').map((found) => {
    const [, file = '', line = '', text = ''] = /^(?:\.\/)?([^\0]*)\0(\d+):(.*)$/.exec(found) ?? [];
    return { file, line: Number(line), what: whatOf.get(text) ?? 'secret' };
  });
}
