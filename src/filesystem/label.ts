import * as z from 'zod';
import type { Runner } from '../host/run.ts';
import type { Log } from '../volumes/ports.ts';
import type { VolumeLabel } from '../volumes/volume.ts';
import { runTool } from './tool.ts';

/**
 * The extended attribute on a file system's root. trusted.* is seen and changed only with CAP_SYS_ADMIN, so containers
 * neither see nor forge it, and snapshots carry it along.
 */
const LABEL_ATTRIBUTE = 'trusted.docker-volume-scaleio';

const labelSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  fs: z.enum(['ext4', 'xfs', 'btrfs']),
  mountOptions: z.array(z.string()),
  subpath: z.string(),
  iops: z.number(),
  bandwidthKiBps: z.number(),
  failover: z.enum(['never', 'disconnected', 'idle', 'always', 'default']),
  requestedKiB: z.number(),
});

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
 * The label; undefined when there is none, or one that cannot be read, which is logged: a volume must not be lost to
 * users because its options are. Rejects with FilesystemError when the file system cannot be asked.
 */
export async function readVolumeLabel(
  tools: { runner: Runner; log: Log },
  mountpoint: string,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const { exitCode, stdout } = await runTool(
    tools.runner,
    {
      attempt: `read the options of the volume at "${mountpoint}"`,
      program: 'getfattr',
      args: ['--absolute-names', '--only-values', '-n', LABEL_ATTRIBUTE, '--', mountpoint],
      accepts: ({ stderr }) => stderr.includes('No such attribute'),
    },
    signal,
  );
  if (exitCode !== 0) return undefined;
  try {
    return parseLabel(stdout);
  } catch (error) {
    tools.log.warn(
      { mountpoint, error },
      'the options stored in the volume cannot be read, using the defaults',
    );
    return undefined;
  }
}

/** Reads the JSON of a label, tolerant of fields that a later version adds. Throws SyntaxError or z.ZodError. */
function parseLabel(json: string): VolumeLabel {
  return labelSchema.parse(JSON.parse(json));
}
