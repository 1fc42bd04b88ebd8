import { Command, CommanderError } from 'commander';
import { isPluginError } from '../errors.ts';
import { commandsFor } from './command-groups.ts';
import { addExamples } from './examples.ts';
import { ExitStatus, statusOf } from './exit-status.ts';
import type { ProcessIo } from './process-io.ts';
import { VERSION } from './version.ts';

/** Runs one command to its end and says with which exit status: 0 done, else that of statusOf; doctor has its own. Never rejects. */
export async function runCommandLine(io: ProcessIo): Promise<number> {
  try {
    const program = await buildProgram(io);
    await program.parseAsync([...io.argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (error instanceof CommanderError) {
      const [flag, name] = /'(--[^'=]+)=.*'/s.exec(error.message)?.slice(0, 2) ?? [];
      if (error.code !== 'commander.unknownOption' || flag === undefined || name === undefined)
        return usageStatus(io, error);
      // Commander looks for the nearest option with the value, which may be a secret, and so finds none.
      const argv = io.argv.map((word) => (`'${word}'` === flag ? name : word));
      return runCommandLine({ ...io, argv });
    }
    return failureStatus(io, error);
  }
}

/** Says what failed, with a stack only where that is a mistake in the program, and gives the exit status. */
function failureStatus(io: ProcessIo, error: unknown): number {
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = isPluginError(error) ? error.message : bug;
  io.stderr.write(`docker-volume-scaleio: ${text}\n`);
  return statusOf(error);
}

/** Says in one sentence what commander found wrong with the words of the command line, and gives the exit status. */
function usageStatus(io: ProcessIo, { exitCode, code, message }: CommanderError): number {
  if (exitCode === 0) return 0;
  // A command without its subcommand has printed its help.
  if (code === 'commander.help') return 2;
  const [said = '', suggestion = ''] = message.split('\n');
  const nearest = suggestion.replace(/^\(Did you mean (.*)\)$/, 'did you mean $1');
  const hint = nearest === '' ? 'see --help' : nearest;
  io.stderr.write(`docker-volume-scaleio: ${said.replace(/^error: /, '').replace(/\.$/, '')}; ${hint}\n`);
  return 2;
}

const PASSING_ON = new Set(['simulate', 'simulate-sdc']);

/** All commands that begin with the first word of the command line; all there are, where it names none. */
export async function buildProgram(io: ProcessIo): Promise<Command> {
  const program = new Command('docker-volume-scaleio')
    .description(
      'Docker volumes on Dell ScaleIO, VxFlex OS and PowerFlex; and a simulated array to try them on',
    )
    .version(VERSION, '-V, --version', 'show the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    });
  for (const add of await commandsFor(io.argv[0])) add(program, io);
  addExamples(program);
  for (const command of program.commands) addVersion(command);
  return program;
}

/** Whichever command somebody asks for the version; those that hand their words on answer themselves. */
function addVersion(command: Command): void {
  if (!PASSING_ON.has(command.name())) command.version(VERSION, '-V, --version', 'show the version');
  for (const one of command.commands) addVersion(one);
}
