import { readFileSync, realpathSync } from 'node:fs';
import type { Command } from 'commander';
import {
  loadSettings,
  type LoadedSettings,
  type SettingsFlags,
  type SettingsSources,
} from '../config/load-settings.ts';
import type { ProcessIo } from './process-io.ts';

/** Adds the flags that serve, config and doctor share: what is set by flag wins over environment and file. */
export function withSettingsFlags(command: Command): Command {
  return command
    .option('--socket <path>', 'unix socket to listen on')
    .option('--mount-root <dir>', 'directory below which volumes are mounted')
    .option('--state-dir <dir>', 'directory that remembers what is mounted for whom')
    .option('--config <file>', 'JSON file with settings');
}

/** The settings in force for these flags. Throws ConfigError that lists everything wrong. */
export function settingsOf(
  io: ProcessIo,
  { socket, mountRoot, stateDir, config }: SettingsFlags,
  more: Pick<SettingsSources, 'realPath'> = {},
): LoadedSettings {
  const flags = { socket, mountRoot, stateDir, config };
  return loadSettings({ env: io.env, flags, readFile: (path) => readFileSync(path, 'utf8'), ...more });
}

/** The same for what mounts volumes here, or speaks for that: also what is wrong with the places where it would. */
export function settingsHere(io: ProcessIo, flags: SettingsFlags): LoadedSettings {
  return settingsOf(io, flags, { realPath: (path) => realpathSync(path) });
}
