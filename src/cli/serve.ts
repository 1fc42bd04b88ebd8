import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { startApp, type SettingsNow } from '../app.ts';
import {
  FlawedSettingsError,
  loadSettings,
  type LoadedSettings,
  type SettingsFlags,
} from '../config/load-settings.ts';
import { openLog } from '../logging/logger.ts';
import { untilAskedToEnd, type Edge } from './edge.ts';
import { VERSION } from './version.ts';

/** Adds the flags that serve and config share: what is set by flag wins over environment and file. */
export function withSettingsFlags(command: Command): Command {
  return command
    .option('--socket <path>', 'unix socket to listen on')
    .option('--mount-root <dir>', 'directory below which volumes are mounted')
    .option('--state-dir <dir>', 'directory that remembers what is mounted for whom')
    .option('--config <file>', 'JSON file with settings');
}

/** The settings in force for these flags. Throws ConfigError that lists everything wrong. */
export function settingsOf(
  edge: Edge,
  { socket, mountRoot, stateDir, config }: SettingsFlags,
): LoadedSettings {
  const flags = { socket, mountRoot, stateDir, config };
  return loadSettings({ env: edge.env, flags, readFile: (path) => readFileSync(path, 'utf8') });
}

/** `serve`: the volume plugin itself, until SIGTERM or SIGINT. */
export function addServeCommand(program: Command, edge: Edge): void {
  withSettingsFlags(program.command('serve'))
    .description('serve the Docker volume driver protocol on a unix socket')
    .action(async (flags: SettingsFlags) => {
      const readSettings = (): SettingsNow => settingsNow(edge, flags);
      const now = readSettings();
      const { logLevel } = now instanceof FlawedSettingsError ? now.local : now.settings;
      const { log, droppedLines, close } = openLog(logLevel);
      try {
        const ended = untilAskedToEnd(edge);
        const app = await startApp({
          ...{ log, droppedLines, version: VERSION, readSettings },
          systemd: { listenFds: edge.env['LISTEN_FDS'], listenPid: edge.env['LISTEN_PID'], ownPid: edge.pid },
        });
        await ended;
        await app.close();
      } finally {
        close();
      }
    });
}

function settingsNow(edge: Edge, flags: SettingsFlags): SettingsNow {
  try {
    return settingsOf(edge, flags);
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error;
    throw error;
  }
}
