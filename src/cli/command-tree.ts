import type { Command, Option } from 'commander';

/** An option as completion offers it. */
export interface OfferedOption {
  /** As written: --json. */
  readonly flag: string;
  readonly about: string;
  /** What follows it: nothing, some text, or a file's name. */
  readonly value: 'none' | 'text' | 'file';
}

/** A word that may come next, with what it is for. */
export interface OfferedWord {
  readonly word: string;
  readonly about: string;
}

/** What may follow the words of one command. */
export interface OfferedCommand {
  /** The words that lead to it, after the program's name; empty for the program itself. */
  readonly path: readonly string[];
  /** Subcommands, and the values that its first argument may have. */
  readonly words: readonly OfferedWord[];
  readonly options: readonly OfferedOption[];
}

/** Every command of the program, itself first, as its own help tells of them. */
export function commandTree(program: Command): readonly OfferedCommand[] {
  return treeBelow(program, []);
}

function treeBelow(command: Command, path: readonly string[]): OfferedCommand[] {
  const subcommands = command.commands;
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  const here = {
    path,
    words: [
      ...subcommands.map((one) => ({ word: one.name(), about: one.description() })),
      ...choices.map((word) => ({ word, about: '' })),
    ],
    options: [
      ...command.options.flatMap(offered),
      { flag: '--help', about: 'show help', value: 'none' as const },
    ],
  };
  return [here, ...subcommands.flatMap((one) => treeBelow(one, [...path, one.name()]))];
}

function offered({ long, flags, description, required, optional }: Option): OfferedOption[] {
  if (long === undefined) return [];
  const isFile = /<(?:path|dir|directory|file|socket)>/.test(flags);
  const value = required || optional ? (isFile ? 'file' : 'text') : 'none';
  return [{ flag: long, about: description, value }];
}
