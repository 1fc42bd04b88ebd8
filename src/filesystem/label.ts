import { FilesystemError, NewerVersionError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import { LABEL_VERSION, readLabel, type VolumeLabel } from '../volumes/options/label.ts';
import { runTool } from './tool.ts';

/**
 * The extended attribute on a file system's root. trusted.* is seen and changed only with CAP_SYS_ADMIN, so containers
 * neither see nor forge it, and snapshots carry it along.
 */
const LABEL_ATTRIBUTE = 'trusted.docker-volume-scaleio';

/** Writes the label as JSON, over the one that is there. Rejects with FilesystemError. */
export async function writeVolumeLabel(
  runner: Runner,
  mountpoint: string,
  label: VolumeLabel,
  signal: AbortSignal,
): Promise<void> {
  // In base64 (0s…) setfattr finds nothing in it to interpret [attr setfattr(1)].
  const value = `0s${Buffer.from(JSON.stringify(label)).toString('base64')}`;
  const args = ['-n', LABEL_ATTRIBUTE, '-v', value, '--', mountpoint];
  const attempt = `write the options of volume "${label.name}" to "${mountpoint}"`;
  await runTool(runner, { attempt, program: 'setfattr', args }, signal);
}

/**
 * The label; undefined when there is none. Rejects with NewerVersionError for a label that this plugin is too old for, and with
 * FilesystemError for one that cannot be read: mounting without it would hand out another directory than the volume's
 * own. Rejects with FilesystemError, too, when the file system cannot be asked.
 */
export async function readVolumeLabel(
  runner: Runner,
  mountpoint: string,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const attempt = `read the options of the volume at "${mountpoint}"`;
  const { exitCode, stdout } = await runTool(
    runner,
    {
      attempt,
      program: 'getfattr',
      args: ['--absolute-names', '--only-values', '-n', LABEL_ATTRIBUTE, '--', mountpoint],
      accepts: ({ stderr }) => stderr.includes('No such attribute'),
    },
    signal,
  );
  if (exitCode !== 0) return undefined;
  const reading = readLabel(stdout);
  if (reading.kind === 'label') return reading.label;
  if (reading.kind === 'newer') {
    const wanted =
      reading.needs === undefined ? 'the version that wrote it' : `version ${reading.needs} or later`;
    throw new NewerVersionError(
      `cannot ${attempt}: its label has version ${reading.version} and this plugin reads ${LABEL_VERSION}; ` +
        `nothing was changed, bring the plugin on this host to ${wanted}`,
      { context: { labelVersion: reading.version } },
    );
  }
  throw new FilesystemError(
    `cannot ${attempt}: its label cannot be read (${reading.why}), and without it a container would get the wrong directory; ` +
      `nothing was changed. If a newer plugin wrote it, bring this one up to date; else map the volume by hand and write it anew ` +
      `("getfattr -n ${LABEL_ATTRIBUTE}", "setfattr")`,
  );
}
