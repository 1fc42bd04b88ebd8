import { parseArgs } from 'node:util';
import { soakPostgres } from './postgres.ts';

/*
 * `make soak`: what has to be done very often before it can be believed. Usage: soak.ts [--kills N] [PART...]
 */
interface SoakOptions {
  /** Power cuts per file system. */
  readonly kills: number;
}

/** Each part throws when anything was lost. */
const parts: Readonly<Record<string, (options: SoakOptions) => Promise<void>>> = {
  postgres: soakPostgres,
};

const { values, positionals } = parseArgs({
  options: { kills: { type: 'string', default: '25' } },
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
for (const name of wanted) {
  const part = parts[name];
  if (part === undefined) throw new Error(`no part "${name}"; there are: ${Object.keys(parts).join(', ')}`);
  console.log(`== ${name}`);
  await part({ kills: Number(values.kills) });
}
