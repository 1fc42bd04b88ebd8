#!/usr/bin/env node
import { CommanderError } from 'commander';
import manifest from 'scaleio-simulator/package.json' with { type: 'json' };
import { simulate } from './array-command.ts';
import { runAgent } from './sdc/sdc-command.ts';
import { SimulatorError, SimulatorUsageError } from './simulator-error.ts';

/*
 * The command `scaleio-simulator`: the array, or with `sdc` as its first word the SDC of a host. Exit status 0 done, 1 failed,
 * 2 used wrongly.
 */
const untilStopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      resolve();
    });
});

/** What is expected to go wrong is said in a line without a stack; anything else is a fault of the simulator's. */
function complainOf(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) complain(`${error.message.replace(/^error: /, '')}; see --help`);
    return error.exitCode === 0 ? 0 : 2;
  }
  if (!(error instanceof SimulatorError)) throw error;
  complain(error.message);
  return error instanceof SimulatorUsageError ? 2 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`scaleio-simulator: ${line}\n`);
}

const words = process.argv.slice(2);
const [first, ...rest] = words;
/** With a word behind it, --version is the API's. */
const isForVersion = /^(sdc )?(--version|-V)$/.test(words.join(' '));
const io = { print, complain, untilStopped };
try {
  if (isForVersion) print(manifest.version);
  else await (first === 'sdc' ? runAgent(rest, io) : simulate(words, io));
} catch (error) {
  process.exitCode = complainOf(error);
}
