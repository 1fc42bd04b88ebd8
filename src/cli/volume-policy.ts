import type { Command } from 'commander';
import { ACTION_LIMIT_MS, inSession } from '../apps/volume-session.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import type { PolicyOfVolume } from '../volumes/copies/snapshot-policy.ts';
import { asJson } from './as-json.ts';
import type { ProcessIo } from './process-io.ts';
import type { Shared } from './shared-by-commands.ts';

const EXAMPLES = `
Examples:
  docker-volume-scaleio volume policy db
  docker-volume-scaleio volume policy db daily
  docker-volume-scaleio volume policy db none`;

/** `volume policy`. */
export function addPolicyCommand(volume: Command, io: ProcessIo, withSettings: Shared['withSettings']): void {
  withSettings(volume.command('policy'))
    .description('show or change which policy of the array takes snapshots of a volume (3.0 and later)')
    .argument('<name>')
    .argument('[policy]', "the policy's name on the array; none: no more of them, and those taken stay")
    .option('--json', 'print as JSON')
    .addHelpText('after', EXAMPLES)
    .action((name: string, policy: string | undefined, flags: SettingsFlags & { readonly json?: true }) =>
      inSession(io, flags, async ({ actions }) => {
        const set = policy === undefined ? null : { policy: policy === 'none' ? null : policy };
        const now = await actions.snapshotPolicy({ name, set }, AbortSignal.timeout(ACTION_LIMIT_MS));
        io.stdout.write(flags.json === true ? asJson({ name, ...now }) : textOf(name, now));
      }),
    );
}

function textOf(name: string, { policy, isActive, before }: PolicyOfVolume): string {
  const paused = isActive === false ? ', which is paused and takes none now' : '';
  const was = before === policy ? '' : `; before it had ${before === null ? 'none' : `"${before}"`}`;
  return policy === null
    ? `no policy of the array takes snapshots of volume "${name}"${was}\n`
    : `volume "${name}" has snapshot policy "${policy}"${paused}${was}\n`;
}
