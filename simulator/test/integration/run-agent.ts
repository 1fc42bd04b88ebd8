import { once } from 'node:events';
import { runAgent } from '../../src/sdc/sdc-command.ts';

await runAgent(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  untilStopped: once(process, 'SIGTERM'),
});
