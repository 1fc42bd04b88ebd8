import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { judge } from './budgets.ts';
import { measureAll } from './measure.ts';
import { describeMachine, page } from './page.ts';
import { plot } from './plot.ts';
import {
  budgetTable,
  burstTable,
  operationTables,
  parallelTable,
  processTable,
  servicesTable,
  takeoverTable,
} from './report.ts';
import { startSetup } from './setup.ts';

const docs = path.resolve(import.meta.dirname, '../../docs');

/**
 * The benchmark itself, in a directory of its own: measures, prints the tables and writes them to docs/. Gives the exit
 * code; the processes that it has started end with its own.
 */
export async function benchmark(dir: string): Promise<number> {
  const machine = await describeMachine();
  const started = performance.now();
  const say = (what: string): void => {
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`${seconds.toString().padStart(4)} s  ${what}\n`);
  };
  const results = await measureAll(await startSetup(dir), say);
  const findings = judge(results);
  const file = path.join(docs, 'benchmark.md');
  const style = await resolveConfig(file);
  await writeFile(file, await format(page(results, findings, machine), { ...style, filepath: file }));
  await writeFile(path.join(docs, 'benchmark.svg'), plot(results));
  const tables = [operationTables, takeoverTable, servicesTable, parallelTable, burstTable, processTable].map(
    (make) => make(results),
  );
  process.stdout.write(`\n${[...tables, budgetTable(findings)].join('\n\n')}\n\n`);
  const broken = findings.filter(({ isKept }) => !isKept);
  for (const { what, limit, measured } of broken) {
    process.stdout.write(`BROKEN: ${what}: ${measured}, the design allows ${limit}\n`);
  }
  return broken.length === 0 ? 0 : 1;
}
