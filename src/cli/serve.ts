import { readFileSync, realpathSync } from 'node:fs';
import type { Command } from 'commander';
import { startApp, type SettingsNow } from '../apps/plugin.ts';
import {
  FlawedSettingsError,
  loadSettings,
  type LoadedSettings,
  type SettingsFlags,
  type SettingsSources,
} from '../config/load-settings.ts';
import { openLog } from '../observe/logging/logger.ts';
import { ExitStatus } from './exit-status.ts';
import { untilAskedToEnd, type ProcessIo } from './process-io.ts';
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

/** `serve`: the volume plugin itself, until SIGTERM or SIGINT. */
export function addServeCommand(program: Command, io: ProcessIo): void {
  withSettingsFlags(program.command('serve'))
    .description('serve the Docker volume driver protocol on a unix socket')
    .action(async (flags: SettingsFlags) => {
      const readSettings = (): SettingsNow => settingsNow(io, flags);
      const now = readSettings();
      const { logLevel } = now instanceof FlawedSettingsError ? now.local : now.settings;
      const { log, droppedLines, close } = openLog(logLevel);
      try {
        const ended = untilAskedToEnd(io).then(() => 0);
        const failed = Promise.withResolvers<number>();
        const app = await startApp({
          log,
          droppedLines,
          version: VERSION,
          readSettings,
          end: () => {
            failed.resolve(1);
          },
          systemd: { listenFds: io.env['LISTEN_FDS'], listenPid: io.env['LISTEN_PID'], ownPid: io.pid },
        });
        const status = await Promise.race([ended, failed.promise]);
        await app.close();
        if (status !== 0) throw new ExitStatus(status);
      } finally {
        close();
      }
    });
}

function settingsNow(io: ProcessIo, flags: SettingsFlags): SettingsNow {
  try {
    return settingsHere(io, flags);
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error;
    throw error;
  }
}
