import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession, type Session } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { systemClock } from '../host/clock.ts';
import { formatSize } from '../units/size.ts';
import { eraseAfterMs } from '../volumes/trash/erasure.ts';
import { chooseTrashed, listTrash, type TrashedVolume } from '../volumes/trash/list-trash.ts';
import { ago, ahead } from './age.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import { screenOf } from './screen.ts';
import type { Shared } from './shared-by-commands.ts';
import { tableOf, type Column } from './table.ts';

interface JsonFlags extends SettingsFlags {
  readonly json?: true;
}

type AgreeFlags = SettingsFlags & { readonly yes?: true };

/** `volume rm`, `volume trash`, `volume trash erase` and `volume undelete`. */
export function addTrashCommands(volume: Command, io: ProcessIo, { withSettings, isAgreed }: Shared): void {
  withSettings(volume.command('rm'))
    .description('remove a volume as docker volume rm does it; with --now its data, too, whatever the grace')
    .argument('<name>')
    .option('--now', 'with its data; nobody can have it back')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  docker-volume-scaleio volume rm db\n  docker-volume-scaleio volume rm db --now',
    )
    .action((name: string, flags: AgreeFlags & JsonFlags & { readonly now?: true }) =>
      inSession(io, flags, async ({ actions, removeGraceMs }) => {
        const now = flags.now === true || removeGraceMs === 0;
        if (now && !(await isAgreed(flags, `Remove "${name}" with its data, for good?`)))
          throw new InvalidRequestError(`volume "${name}" was not removed: nobody said yes`);
        await actions.remove({ name, now }, AbortSignal.timeout(ACTION_LIMIT_MS));
        const back = now ? '' : `; docker-volume-scaleio volume undelete ${name} brings it back`;
        const said = `volume "${name}" is removed${back}\n`;
        io.stdout.write(flags.json === true ? asJson({ name, canBeHadBack: !now }) : said);
      }),
    );
  withSettings(volume.command('undelete'))
    .description('bring a removed volume back, with its data, options and snapshots')
    .argument('<name>', 'the name that it had, or its id')
    .option('--as <name>', 'what it shall be called')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  docker-volume-scaleio volume undelete db\n  docker-volume-scaleio volume undelete db --as db-of-yesterday',
    )
    .action((wanted: string, flags: JsonFlags & { readonly as?: string }) =>
      inSession(io, flags, async ({ actions }) => {
        const request = { wanted, as: flags.as ?? null };
        const back = await actions.undelete(request, AbortSignal.timeout(ACTION_LIMIT_MS));
        const said = `volume "${back.name}" (${back.volumeId}) is back\n`;
        io.stdout.write(flags.json === true ? asJson(back) : said);
      }),
    );
  addTrash(volume, io, { withSettings, isAgreed });
}

function addTrash(volume: Command, io: ProcessIo, { withSettings, isAgreed }: Shared): void {
  const trash = withSettings(volume.command('trash'))
    .description('list the removed volumes that can still be had back')
    .option('--json', 'print as JSON')
    .action((flags: JsonFlags) =>
      inSession(io, flags, async (session) => {
        const listed = await listTrash({ ...session.host, prefix: session.prefix }, session.signal);
        const facts = listed.map((one) => factsOf(one, session));
        io.stdout.write(flags.json === true ? asJson(facts) : textOf(io, facts, systemClock.now()));
      }),
    );
  withSettings(trash.command('erase'))
    .description('erase a removed volume before its time')
    .argument('<name>', 'the name that it had, or its id')
    .option('--with-snapshots', 'its snapshots, too, but for those that are secured or in use')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExamples:\n  docker-volume-scaleio volume trash erase db --with-snapshots')
    .action((wanted: string, flags: AgreeFlags & JsonFlags & { readonly withSnapshots?: true }) =>
      inSession(io, flags, async (session) => {
        const listed = await listTrash({ ...session.host, prefix: session.prefix }, session.signal);
        const { volumeId, arrayName } = chooseTrashed(listed, wanted, session.prefix);
        const withSnapshots = flags.withSnapshots === true;
        const what = withSnapshots ? `"${wanted}" and its snapshots` : `"${wanted}"`;
        if (!(await isAgreed(flags, `Erase ${what} (${volumeId}) for good?`)))
          throw new InvalidRequestError(`volume "${wanted}" stays in the trash: nobody said yes`);
        const request = { volumeId, arrayName, withSnapshots };
        const { snapshots } = await session.actions.eraseTrashed(
          request,
          AbortSignal.timeout(ACTION_LIMIT_MS),
        );
        const gone = withSnapshots ? `; ${snapshots} snapshots were removed` : '';
        const said = `volume "${wanted}" (${volumeId}) cannot be had back any more; the plugin of this host removes its data within some minutes${gone}\n`;
        io.stdout.write(flags.json === true ? asJson({ volumeId, arrayName, snapshots }) : said);
      }),
    );
}

/** A removed volume as `volume trash` tells of it; with --json, as it is here. */
interface TrashFacts {
  /** As far as it is known. */
  readonly name: string;
  readonly isWholeName: boolean;
  /** ISO 8601; null: nothing tells. */
  readonly removed: string | null;
  /** Not before; null: nobody erases it. */
  readonly erasedFrom: string | null;
  readonly sizeKiB: number;
  readonly id: string;
  readonly arrayName: string;
  readonly state: 'kept' | 'in use' | 'being erased';
}

function factsOf(trashed: TrashedVolume, { removeGraceMs }: Pick<Session, 'removeGraceMs'>): TrashFacts {
  const { volumeId, arrayName, name, shown, removedAtMs, sizeKiB, isHad, isBeingErased } = trashed;
  return {
    name: name ?? shown,
    isWholeName: name !== null,
    removed: removedAtMs === null ? null : new Date(removedAtMs).toISOString(),
    erasedFrom:
      removedAtMs === null ? null : new Date(removedAtMs + eraseAfterMs(removeGraceMs)).toISOString(),
    sizeKiB,
    id: volumeId,
    arrayName,
    state: isBeingErased ? 'being erased' : isHad ? 'in use' : 'kept',
  };
}

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isWords: true },
  { heading: 'REMOVED' },
  { heading: 'ERASED' },
  { heading: 'SIZE' },
  { heading: 'ID' },
  { heading: 'STATE' },
];

function textOf(io: ProcessIo, facts: readonly TrashFacts[], nowMs: number): string {
  if (facts.length === 0) return 'the trash is empty\n';
  const rows = facts.map(({ name, removed, erasedFrom, sizeKiB, id, state }) => [
    name,
    removed === null ? 'unknown' : ago(removed, nowMs),
    whenErased({ erasedFrom, state }, nowMs),
    formatSize(sizeKiB),
    id,
    state,
  ]);
  return tableOf(COLUMNS, rows, screenOf(io));
}

function whenErased({ erasedFrom, state }: Pick<TrashFacts, 'erasedFrom' | 'state'>, nowMs: number): string {
  if (erasedFrom !== null) return ahead(erasedFrom, nowMs);
  return state === 'being erased' ? 'now' : 'never';
}
