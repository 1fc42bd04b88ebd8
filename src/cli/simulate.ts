import type { Command } from 'commander';
import { linesOf, type Edge } from './edge.ts';

/** `simulate` and `simulate-sdc`: an array and hosts' SDCs to try everything on. Loaded only when asked for. */
export function addSimulateCommands(program: Command, edge: Edge): void {
  program
    .command('simulate')
    .description(
      'run a simulated ScaleIO: gateway and MDM, with volumes in sparse files (see simulate --help)',
    )
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action(async (args: string[]) => {
      const { simulate } = await import('../simulator/command.ts');
      await simulate(args, edge);
    });
  program
    .command('simulate-sdc')
    .description('play the SDC of one host of a simulated ScaleIO (see simulate-sdc --help)')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action(async (args: string[]) => {
      const { runAgent } = await import('../simulator/sdc/command.ts');
      await runAgent(args, linesOf(edge));
    });
}
