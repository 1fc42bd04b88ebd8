import { parseArgs } from 'node:util';
import { soakDatabases } from './databases.ts';
import { soakOrders } from './orders.ts';
import { soakPostgres } from './postgres.ts';
import { soakRandom } from './random.ts';
import { soakSnapshots } from './snapshots.ts';

/*
 * `make soak`: what has to be done very often before it can be believed. Usage: soak.ts [--kills N] [--seconds N] [--seed N] [PART...]
 */
interface SoakOptions {
  /** Power cuts, or snapshots, per file system. */
  readonly kills: number;
  /** How long random acts befall three hosts. */
  readonly seconds: number;
  /** Of the first round; chance when absent. */
  readonly seed: number | undefined;
}

/** Each part throws when anything was lost. */
const parts: Readonly<Record<string, (options: SoakOptions) => Promise<void>>> = {
  databases: soakDatabases,
  orders: soakOrders,
  postgres: soakPostgres,
  random: soakRandom,
  snapshots: soakSnapshots,
};

const { values, positionals } = parseArgs({
  options: {
    kills: { type: 'string', default: '25' },
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string' },
  },
  allowPositionals: true,
});
const seed = values.seed === undefined ? undefined : Number(values.seed);
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
for (const name of wanted) {
  const part = parts[name];
  if (part === undefined) throw new Error(`no part "${name}"; there are: ${Object.keys(parts).join(', ')}`);
  console.log(`== ${name}`);
  await part({ kills: Number(values.kills), seconds: Number(values.seconds), seed });
}
