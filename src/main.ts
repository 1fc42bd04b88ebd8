import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './cli/command-line.ts';
import { openOutput } from './logging/output.ts';

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

void runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  pid: process.pid,
  stdout: process.stdout,
  // What is told there must keep nobody, whether it is read or not.
  stderr: openOutput(2),
  ask: process.stdin.isTTY ? ask : undefined,
  onSignal: (signal, handler) => process.once(signal, handler),
}).then((code) => {
  process.exitCode = code;
});
