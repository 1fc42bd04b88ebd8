import type { Command } from 'commander';
import { inSession, type Session } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { systemClock } from '../host/clock.ts';
import { asJson } from './as-json.ts';
import { rowFormat } from './format-template.ts';
import { VOLUME_COLUMNS, VOLUME_FIELDS, volumeCells, type VolumeCells } from './listed-columns.ts';
import type { ProcessIo } from './process-io.ts';
import { screenOf } from './screen.ts';
import type { Shared } from './shared-by-commands.ts';
import { tableOf } from './table.ts';
import { listedFacts, type ListedFacts } from './volume-facts.ts';
import { volumeFilter } from './volume-filter.ts';

interface ListFlags extends SettingsFlags {
  readonly json?: true;
  readonly filter: readonly string[];
  readonly format?: string;
}

/** `volume ls`. */
export function addListing(volume: Command, io: ProcessIo, withSettings: Shared['withSettings']): void {
  withSettings(volume.command('ls'))
    .alias('list')
    .description(
      'list the volumes of this prefix: size, pool, who holds each, since when, and its last fence',
    )
    .option(
      '--filter <key=value>',
      'only those with: name (a part of it), pool, fs, access, host, held=true or false; several',
      (one: string, others: readonly string[]) => [...others, one],
      [],
    )
    .option('--format <template>', "a line for each: json, or such as '{{.Name}} {{.Size}}'")
    .option('--json', 'print as JSON')
    .action((flags: ListFlags) => {
      const { format } = flags;
      if (format !== undefined && flags.json === true)
        throw new InvalidRequestError('--json and --format both say how to print; give one of them');
      const isWanted = volumeFilter(flags.filter);
      const print = format === undefined ? undefined : rowFormat(format, VOLUME_FIELDS);
      return inSession(io, flags, async (session) => {
        const facts = (await factsOfAll(session)).filter(isWanted);
        if (flags.json === true) io.stdout.write(asJson(facts));
        else io.stdout.write(print === undefined ? tableFor(io, facts) : lines(facts, print));
      });
    });
}

async function factsOfAll({ operator, memory, host, signal }: Session): Promise<readonly ListedFacts[]> {
  const listed = await operator.list(signal);
  const facts: ListedFacts[] = [];
  for (const { name, volume } of listed)
    facts.push(await listedFacts(name, volume, { memory, array: host.array, signal }));
  return facts;
}

function lines(
  facts: readonly ListedFacts[],
  print: (cells: VolumeCells, whole: ListedFacts) => string,
): string {
  const seen = { nowMs: systemClock.now() };
  return facts.map((one) => `${print(volumeCells(one, seen.nowMs), one)}\n`).join('');
}

function tableFor(io: ProcessIo, facts: readonly ListedFacts[]): string {
  const seen = { nowMs: systemClock.now() };
  const rows = facts.map((one) => {
    const cells = volumeCells(one, seen.nowMs);
    return VOLUME_COLUMNS.map(({ field }) => cells[field]);
  });
  return tableOf(VOLUME_COLUMNS, rows, screenOf(io));
}
