import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import type { RestoredVolume } from '../volumes/copies/restore-volume.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import type { Shared } from './shared-by-commands.ts';
import { longer, snapshotIn } from './volume-snapshots.ts';

interface RestoreFlags extends SettingsFlags {
  readonly json?: true;
  readonly keep?: string;
  readonly yes?: true;
}

const KEPT_MS = 7 * 24 * 60 * 60_000;

const RESTORE_EXAMPLES = `
Examples:
  docker-volume-scaleio volume restore db@before-upgrade
  docker-volume-scaleio volume restore db@before-upgrade --keep 30d --yes --json

Nobody may have the volume meanwhile: stop its containers first. What it holds now is kept as a snapshot, which leads back.`;

/** `volume restore`. */
export function addRestore(volume: Command, io: ProcessIo, { withSettings, isAgreed }: Shared): void {
  withSettings(volume.command('restore'))
    .description('give a volume that nobody has the content of one of its snapshots')
    .argument('<volume@snapshot>')
    .option('--keep <time>', 'how long a snapshot of what it holds now is kept; default: 7d')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON; needs --yes')
    .addHelpText('after', RESTORE_EXAMPLES)
    .action((which: string, flags: RestoreFlags) =>
      inSession(io, flags, async ({ actions }) => {
        const { keep, json = false, yes } = flags;
        const wanted = {
          ...snapshotIn(which),
          keepMs: keep === undefined ? KEPT_MS : longer(keep, '--keep'),
        };
        const { name } = wanted;
        if (json && yes !== true)
          throw new InvalidRequestError(
            'with --json nobody is asked, so it needs --yes; leave --json out to be asked',
          );
        if (!(await isAgreed(flags, `Put what "${which}" holds in the place of what "${name}" holds now?`)))
          throw new InvalidRequestError(`volume "${name}" was not restored: nobody said yes`);
        const restored = await actions.restore(wanted, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(json ? asJson(restored) : restoredText(restored));
      }),
    );
}

function restoredText({ volume, snapshot, keptAs, keptUntil, lacks }: RestoredVolume): string {
  const until = keptUntil === null ? '' : ` until ${keptUntil}`;
  const but = lacks === null ? '' : `it could not be looked into: ${lacks}\n`;
  return (
    `volume "${volume}" holds what "${volume}@${snapshot}" does\n${but}` +
    `what it held before is kept as "${volume}@${keptAs}"${until}: docker-volume-scaleio volume restore ${volume}@${keptAs} goes back\n`
  );
}
