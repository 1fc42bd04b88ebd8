import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import type { ListedClass } from '../volumes/operator-actions.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import { screenOf } from './screen.ts';
import { tableOf, type Column } from './table.ts';

const EXAMPLES = `
Examples:
  docker-volume-scaleio volume classes
  docker volume create --driver scaleio -o class=gold db`;

/** `volume classes`. `withSettings` adds what every command of volumes takes. */
export function addClassesCommand(
  volume: Command,
  io: ProcessIo,
  withSettings: (command: Command) => Command,
): void {
  withSettings(volume.command('classes'))
    .description("list the operator's classes and the options that each stands for")
    .option('--json', 'print as JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: SettingsFlags & { readonly json?: true }) =>
      inSession(io, flags, async ({ actions }) => {
        const classes = await actions.listClasses({}, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson(classes) : textOf(io, classes));
      }),
    );
}

const COLUMNS: readonly Column[] = [
  { heading: 'CLASS', isWords: true },
  { heading: 'OPTIONS', isWords: true },
];

function textOf(io: ProcessIo, classes: readonly ListedClass[]): string {
  if (classes.length === 0) return 'there are no classes; the setting SCALEIO_CLASSES names them\n';
  const rows = classes.map(({ name, options }) => [
    name,
    Object.entries(options)
      .map(([option, value]) => `${option}=${value}`)
      .join(' '),
  ]);
  return tableOf(COLUMNS, rows, screenOf(io));
}
