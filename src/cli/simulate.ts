import type { Command } from 'commander';
import { linesOf, type ProcessIo } from './process-io.ts';
import { ExitStatus } from './exit-status.ts';

/** `simulate` and `simulate-sdc`: an array and hosts' SDCs to try everything on. Loaded only when asked for. */
export function addSimulateCommands(program: Command, io: ProcessIo): void {
  const add = (name: string, description: string, run: (args: string[]) => Promise<void>): void => {
    program
      .command(name)
      .description(`${description} (see ${name} --help)`)
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .argument('[args...]')
      .action((args: string[]) => inPlainWords(io, () => run(args)));
  };
  add('simulate', 'run a simulated ScaleIO: gateway and MDM, with volumes in sparse files', async (args) => {
    const { simulate } = await import('../../simulator/src/command.ts');
    await simulate(args, io);
  });
  add('simulate-sdc', 'play the SDC of one host of a simulated ScaleIO', async (args) => {
    const { runAgent } = await import('../../simulator/src/sdc/command.ts');
    await runAgent(args, linesOf(io));
  });
}

/** What the simulator expects to go wrong is said without a stack; the simulator knows no errors of the plugin's. */
async function inPlainWords(io: ProcessIo, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { SimulatorError, SimulatorUsageError } = await import('../../simulator/src/simulator-error.ts');
    if (!(error instanceof SimulatorError)) throw error;
    io.stderr.write(`docker-volume-scaleio: ${error.message}\n`);
    throw new ExitStatus(error instanceof SimulatorUsageError ? 2 : 1);
  }
}
