import type { Command } from 'commander';
import type { ProcessIo } from './process-io.ts';

/** Adds a command, or several of one kind, to the program. */
export type AddCommands = (program: Command, io: ProcessIo) => void;

/**
 * By their first word, in the order of the help. Each is loaded only where it is asked for: the plugin runs for months on every host, and
 * starts while containers wait for it, so it carries and evaluates nothing of the steward or the commands.
 */
const GROUPS: Readonly<Record<string, () => Promise<AddCommands>>> = {
  serve: async () => (await import('./serve.ts')).addServeCommand,
  config: async () => (await import('./config.ts')).addConfigCommand,
  volume: async () => (await import('./volume.ts')).addVolumeCommands,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
  steward: async () => (await import('./steward.ts')).addStewardCommand,
  simulate: async () => (await import('./simulate.ts')).addSimulateCommand,
  'simulate-sdc': async () => (await import('./simulate.ts')).addSimulateSdcCommand,
  completion: async () => (await import('./completion.ts')).addCompletionCommand,
};

/** What has to be added for a command line that begins with this word: all, where that is no command's name or the command is about all. */
export function commandsFor(word: string | undefined): Promise<readonly AddCommands[]> {
  const isAboutAll = word === undefined || word === 'completion' || !Object.hasOwn(GROUPS, word);
  const wanted = Object.entries(GROUPS).filter(([name]) => isAboutAll || name === word);
  return Promise.all(wanted.map(([, load]) => load()));
}
