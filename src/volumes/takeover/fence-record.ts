import * as z from 'zod';
import { asVolumeId } from '../../array/ids.ts';
import type { FenceRecord } from '../ports.ts';
import { FAILOVER_POLICIES } from '../volume.ts';

/** A fence as it stands in files and answers; fields that only a newer version knows are kept (rule 19). */
export const fenceRecordSchema: z.ZodType<FenceRecord> = z.looseObject({
  at: z.string(),
  volume: z.string(),
  volumeId: z.string().transform(asVolumeId),
  by: z.string(),
  byName: z.string(),
  from: z.string(),
  fromName: z.string(),
  policy: z.enum([...FAILOVER_POLICIES, 'forced']),
  holderState: z.enum(['connected', 'disconnected', 'unknown']),
  recentIo: z.number().nullable(),
  durationMs: z.number(),
  outcome: z.enum(['taken', 'late', 'failed', 'unknown']),
});
