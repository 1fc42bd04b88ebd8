import * as z from 'zod';

/*
 * The reading side of version 0.1.0, word for word as it was shipped, before labels bore the volume's id. Frozen: hosts with
 * that version still read what this one writes, so what it refuses they mount without options.
 */

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

/** Reads the JSON of a label as 0.1.0 does. Throws SyntaxError or z.ZodError where 0.1.0 used the defaults. */
export function parseLabelAs010(json: string): z.output<typeof labelSchema> {
  return labelSchema.parse(JSON.parse(json));
}
