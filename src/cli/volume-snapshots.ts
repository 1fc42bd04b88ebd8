import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { systemClock } from '../host/clock.ts';
import { parseDuration } from '../units/duration.ts';
import { formatSize } from '../units/size.ts';
import { splitSnapshot } from '../volumes/copies/snapshot-names.ts';
import type { TakenSnapshot } from '../volumes/copies/take-snapshots.ts';
import type { SnapshotList } from '../volumes/operator-actions.ts';
import { ago, ahead } from './age.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import { screenOf } from './screen.ts';
import type { Shared } from './shared-by-commands.ts';
import { tableOf, type Column } from './table.ts';

interface JsonFlags extends SettingsFlags {
  readonly json?: true;
}

interface TakeFlags extends JsonFlags {
  readonly name?: string;
  readonly expire?: string;
  readonly secure?: string;
}

const TAKE_EXAMPLES = `
Examples:
  docker-volume-scaleio volume snapshot db --name before-upgrade
  docker-volume-scaleio volume snapshot db files --expire 7d --secure 3d`;

const MINUTE_MS = 60_000;

/** `volume snapshot`, `volume snapshots` and `volume rm-snapshot`. */
export function addSnapshotCommands(
  volume: Command,
  io: ProcessIo,
  withSettings: Shared['withSettings'],
): void {
  withSettings(volume.command('snapshot'))
    .description('take a snapshot of volumes, all of one instant, frozen where this host has them mounted')
    .argument('<names...>')
    .option('--name <name>', 'of the snapshot, at most 16 characters; default: the time')
    .option('--expire <time>', 'after which the steward removes it: 7d')
    .option('--secure <time>', 'until which nobody can remove it, at most 24d: 3d (3.0 and later)')
    .option('--json', 'print as JSON')
    .addHelpText('after', TAKE_EXAMPLES)
    .action((names: string[], flags: TakeFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const { name, expire, secure } = flags;
        const wanted = {
          names,
          snapshot: name ?? null,
          expireMs: expire === undefined ? null : longer(expire, '--expire'),
          secureForMinutes: secure === undefined ? null : Math.ceil(longer(secure, '--secure') / MINUTE_MS),
        };
        const taken = await actions.takeSnapshots(wanted, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson(taken) : taken.map(takenText).join(''));
      }),
    );
  withSettings(volume.command('snapshots'))
    .description('list the snapshots of a volume: age, expiry, consistency')
    .argument('<name>')
    .option('--json', 'print as JSON')
    .action((name: string, flags: JsonFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const list = await actions.listSnapshots({ name }, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(
          flags.json === true
            ? asJson({ name, ...list })
            : listText(io, { name, nowMs: systemClock.now() }, list),
        );
      }),
    );
  withSettings(volume.command('rm-snapshot'))
    .description('remove one snapshot, and nothing else of its volume')
    .argument('<volume@snapshot>')
    .option('--json', 'print as JSON')
    .action((which: string, flags: JsonFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const removed = snapshotIn(which);
        await actions.removeSnapshot(removed, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson(removed) : `snapshot "${which}" is removed\n`);
      }),
    );
}

/** VOLUME@SNAPSHOT taken apart; throws InvalidRequestError. */
export function snapshotIn(which: string): { readonly name: string; readonly snapshot: string } {
  const split = splitSnapshot(which);
  if (split !== undefined) return { name: split.volume, snapshot: split.snapshot };
  throw new InvalidRequestError(
    `"${which}" names no snapshot; write it as VOLUME@SNAPSHOT, such as db@before-upgrade`,
  );
}

/** A duration that is none of 0, ms; throws InvalidRequestError. */
export function longer(text: string, flag: string): number {
  const ms = parseDuration(text, flag);
  if (ms > 0) return ms;
  throw new InvalidRequestError(`${flag} 0 is no time; leave it out, or write it like 7d`);
}

function takenText({ volume, snapshot, consistency }: TakenSnapshot): string {
  const words = {
    frozen: 'frozen: it holds all that was written',
    'crash-consistent': 'crash-consistent: as after a power cut at that instant',
    idle: 'nobody had the volume',
  }[consistency];
  return `snapshot "${volume}@${snapshot}" taken, ${words}\n`;
}

const COLUMNS: readonly Column[] = [
  { heading: 'SNAPSHOT', isWords: true },
  { heading: 'TAKEN' },
  { heading: 'EXPIRES' },
  { heading: 'SECURE UNTIL' },
  { heading: 'CONSISTENCY' },
  { heading: 'USE' },
];

function listText(
  io: ProcessIo,
  { name, nowMs }: { readonly name: string; readonly nowMs: number },
  { snapshots, most, heldKiB }: SnapshotList,
): string {
  if (snapshots.length === 0)
    return `volume "${name}" has no snapshots of this plugin (up to ${most} copies)\n`;
  const rows = snapshots.map(({ snapshot, takenAt, expiresAt, secureUntil, consistency, isInUse }) => [
    snapshot,
    takenAt === null ? 'unknown' : ago(takenAt, nowMs),
    expiresAt === null ? 'never' : ahead(expiresAt, nowMs),
    secureUntil === null ? '-' : ahead(secureUntil, nowMs),
    consistency,
    isInUse ? 'in use' : '-',
  ]);
  const held = heldKiB === null ? '' : `; all copies together hold ${formatSize(heldKiB)}`;
  return `${tableOf(COLUMNS, rows, screenOf(io))}${snapshots.length} of at most ${most}${held}\n`;
}
