import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './cli/command-line.ts';
import { keepMemoryOutOfCoreDumps } from './host/core-dumps.ts';
import { openOutput } from './observe/logging/output.ts';

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

/** What is told there must keep nobody, whether it is read or not. */
const stderr = openOutput(2);
const unprotected = keepMemoryOutOfCoreDumps();
if (unprotected !== undefined) stderr.write(`docker-volume-scaleio: ${unprotected}\n`);

/** Who reads the output may stop (`| head`); what was asked for is done to its end all the same. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  pid: process.pid,
  stdout: process.stdout,
  stderr,
  ask: process.stdin.isTTY ? ask : undefined,
  onSignal: (signal, handler) => process.once(signal, handler),
}).then((code) => {
  process.exitCode = code;
});
