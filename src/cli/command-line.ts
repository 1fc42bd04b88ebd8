import { Command, CommanderError } from 'commander';
import { isPluginError } from '../errors.ts';
import { addConfigCommand } from './config.ts';
import { addDoctorCommand } from './doctor.ts';
import type { Edge } from './edge.ts';
import { ExitStatus } from './exit-status.ts';
import { addServeCommand } from './serve.ts';
import { addSimulateCommands } from './simulate.ts';
import { addVolumeCommands } from './volume.ts';
import { addStewardCommand } from './steward.ts';
import { VERSION } from './version.ts';

/** Runs one command to its end and says with which exit status: 0 done, 1 failed, 2 used wrongly; doctor has more. Never rejects. */
export async function runCommandLine(edge: Edge): Promise<number> {
  try {
    await buildProgram(edge).parseAsync([...edge.argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const text = isPluginError(error)
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
    edge.stderr.write(`docker-volume-scaleio: ${text}\n`);
    return 1;
  }
}

function buildProgram(edge: Edge): Command {
  const program = new Command('docker-volume-scaleio')
    .description(
      'Docker volumes on Dell ScaleIO, VxFlex OS and PowerFlex; and a simulated array to try them on',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: (text) => edge.stdout.write(text),
      writeErr: (text) => edge.stderr.write(text),
    });
  addServeCommand(program, edge);
  addConfigCommand(program, edge);
  addVolumeCommands(program, edge);
  addDoctorCommand(program, edge);
  addStewardCommand(program, edge);
  addSimulateCommands(program, edge);
  return program;
}
