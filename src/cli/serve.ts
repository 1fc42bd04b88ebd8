import type { Command } from 'commander';
import { startApp, type SettingsNow } from '../apps/plugin.ts';
import { FlawedSettingsError, type SettingsFlags } from '../config/load-settings.ts';
import { openLog } from '../observe/logging/logger.ts';
import { ExitStatus } from './exit-status.ts';
import { untilAskedToEnd, type ProcessIo } from './process-io.ts';
import { settingsHere, withSettingsFlags } from './settings-flags.ts';
import { VERSION } from './version.ts';

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
