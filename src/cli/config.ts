import type { Command } from 'commander';
import { describeSettings, settingsJsonSchema } from '../config/describe-settings.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import type { ProcessIo } from './process-io.ts';
import { settingsHere, withSettingsFlags } from './settings-flags.ts';

/** `config`: the settings that would be in force, where each came from, secrets hidden. */
export function addConfigCommand(program: Command, io: ProcessIo): void {
  withSettingsFlags(program.command('config'))
    .description('print the effective settings with secrets hidden, and where each came from')
    .option('--json', 'print as JSON')
    .option('--schema', 'print the JSON Schema of the settings file instead')
    .action((flags: SettingsFlags & { readonly json?: true; readonly schema?: true }) => {
      if (flags.schema === true) {
        io.stdout.write(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
        return;
      }
      const loaded = settingsHere(io, flags);
      const rows = describeSettings(loaded);
      if (flags.json === true) io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      else for (const { env, value, origin } of rows) io.stdout.write(`${env}=${value}   (${origin})\n`);
      for (const warning of loaded.warnings) io.stderr.write(`warning: ${warning}\n`);
    });
}
