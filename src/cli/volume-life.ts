import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { quote } from '../units/quote.ts';
import type { AdoptReport } from '../volumes/operator-actions.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import type { Shared } from './shared-by-commands.ts';

interface JsonFlags extends SettingsFlags {
  readonly json?: true;
}

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  docker-volume-scaleio volume ${line}`).join('\n')}`;

/** `volume create`, `volume rename`, `volume seal` and `volume adopt`. */
export function addLifeCommands(volume: Command, io: ProcessIo, { withSettings, isAgreed }: Shared): void {
  withSettings(volume.command('create'))
    .description('make a volume, as docker volume create does; the same again is success')
    .argument('<name>')
    .option('-o, --opt <option=value>', 'as with docker volume create, once for each option', collected, {})
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('create db -o size=64GiB -o class=gold', 'create copy -o from=db@before'))
    .action((name: string, flags: JsonFlags & { readonly opt: Readonly<Record<string, string>> }) =>
      inSession(io, flags, async ({ actions }) => {
        const asked = { name, options: flags.opt };
        const made = await actions.create(asked, AbortSignal.timeout(ACTION_LIMIT_MS));
        for (const warning of made.warnings) io.stderr.write(`warning: ${warning}\n`);
        io.stdout.write(flags.json === true ? asJson(made) : `volume "${name}" is there\n`);
      }),
    );
  withSettings(volume.command('rename'))
    .description('give a volume that nobody uses another name')
    .argument('<name>')
    .argument('<new-name>')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('rename db db-of-yesterday'))
    .action((name: string, to: string, flags: JsonFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const renamed = await actions.rename({ name, to }, AbortSignal.timeout(ACTION_LIMIT_MS));
        const said = `volume "${name}" (${renamed.volumeId}) is called "${renamed.name}" now\n`;
        io.stdout.write(flags.json === true ? asJson(renamed) : said);
      }),
    );
  addSeal(volume, io, { withSettings, isAgreed });
  addAdopt(volume, io, withSettings);
}

function addSeal(volume: Command, io: ProcessIo, { withSettings, isAgreed }: Shared): void {
  withSettings(volume.command('seal'))
    .description('limit a filled volume to reading, at the array: many hosts may have it at once then')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON; needs --yes')
    .addHelpText('after', examples('seal map --yes'))
    .action((name: string, flags: JsonFlags & { readonly yes?: true }) =>
      inSession(io, flags, async ({ actions }) => {
        if (!(await isAgreed(flags, `Seal "${name}"? Nobody can write to it from then on.`)))
          throw new InvalidRequestError(`volume "${name}" can still be written: nobody said yes`);
        const sealed = await actions.seal({ name }, AbortSignal.timeout(ACTION_LIMIT_MS));
        const said = sealed.isChanged ? 'can only be read from now on' : 'could only be read already';
        io.stdout.write(
          flags.json === true
            ? asJson({ name, ...sealed })
            : `volume "${name}" ${said}, on many hosts at once\n`,
        );
      }),
    );
}

function addAdopt(volume: Command, io: ProcessIo, withSettings: (command: Command) => Command): void {
  withSettings(volume.command('adopt'))
    .description('take a volume that others have made, as REX-Ray, Cinder or by hand, for one of ours')
    .argument('<array-name>', 'what the array calls it')
    .argument('[name]', 'what it shall be called; as on the array where none is given')
    .option('--in-place', 'leave its name on the array as it is; it must begin with the prefix')
    .option(
      '--subpath <directory>',
      'the directory of it that containers are to see: data for one of REX-Ray',
    )
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('adopt pgdata db --subpath data', 'adopt docker-files --in-place'))
    .action(
      (
        arrayName: string,
        name: string | undefined,
        flags: JsonFlags & { readonly inPlace?: true; readonly subpath?: string },
      ) =>
        inSession(io, flags, async ({ actions }) => {
          const request = {
            arrayName,
            name: name ?? null,
            inPlace: flags.inPlace === true,
            subpath: flags.subpath ?? null,
          };
          const report = await actions.adopt(request, AbortSignal.timeout(ACTION_LIMIT_MS));
          io.stdout.write(flags.json === true ? asJson(report) : adoptedText(report));
        }),
    );
}

function collected(word: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = word.indexOf('=');
  const [option, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
  if (Object.hasOwn(before, option) && before[option] !== value)
    throw new InvalidRequestError(`option ${quote(option)} is given twice with different values`);
  return { ...before, [option]: value };
}

function adoptedText({ name, volumeId, arrayName, content, label }: AdoptReport): string {
  const what =
    content === 'blank'
      ? 'no file system is seen on it and none was made, so it cannot be mounted before it has one'
      : `it holds ${content}; ${{ written: 'a label was written into it', kept: 'it has its label', none: 'it is limited to reading, so it has no label' }[label]}`;
  return `volume "${name}" (${volumeId}, "${arrayName}" on the array) is one of ours now: ${what}\n`;
}
