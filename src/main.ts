import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './cli/command-line.ts';

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
  stderr: process.stderr,
  ask: process.stdin.isTTY ? ask : undefined,
  onSignal: (signal, handler) => process.once(signal, handler),
}).then((code) => {
  process.exitCode = code;
});
