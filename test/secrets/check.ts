import { mkdir, rm } from 'node:fs/promises';
import { readSecrets, searchFor } from './search.ts';

/** Where a run of all tests leaves things, and what must be among them for the search to mean anything. */
export interface LeftBehind {
  /** Everything that was printed and logged. */
  readonly logs: string;
  /** What usesSecret noted. */
  readonly secrets: string;
  /** Each must match some file that is not empty. */
  readonly expected: readonly RegExp[];
}

/** Makes both directories anew, so that nothing of an earlier run is searched or looked for. */
export async function prepareSearch({ logs, secrets }: Pick<LeftBehind, 'logs' | 'secrets'>): Promise<void> {
  for (const directory of [logs, secrets]) await rm(directory, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  await mkdir(secrets, { recursive: true, mode: 0o700 });
}

/** Looks for every secret of a run in everything it left; tells of each place without repeating the secret. */
export async function nothingLeaked(
  { logs, secrets, expected }: LeftBehind,
  say: (line: string) => void,
): Promise<boolean> {
  const known = await readSecrets(secrets);
  const { files, bytes, leaks } = await searchFor(known, logs);
  const missing = expected.filter((pattern) => !files.some((file) => pattern.test(file)));
  for (const pattern of missing) say(`nothing to search: no file ${String(pattern)} below ${logs}`);
  if (known.length === 0) say('no test has noted a secret: nothing was looked for');
  for (const { what, file, line } of leaks) say(`LEAK: a ${what} stands in ${logs}/${file}, line ${line}`);
  const kinds = Map.groupBy(known, ({ what }) => what);
  const counts = [...kinds].map(([what, all]) => `${what}: ${all.length}`).join(', ');
  say(`looked for ${known.length} secrets (${counts}) in ${files.length} files, ${bytes} bytes`);
  return known.length > 0 && files.length > 0 && missing.length === 0 && leaks.length === 0;
}
