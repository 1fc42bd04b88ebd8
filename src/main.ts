import { runCommandLine } from './cli/command-line.ts';

void runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  pid: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (signal, handler) => process.once(signal, handler),
}).then((code) => {
  process.exitCode = code;
});
