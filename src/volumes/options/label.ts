import * as z from 'zod';
import type { VolumeId } from '../../array/ids.ts';
import { POLICY_CHOICES, type FailoverPolicy, type VolumeName, type PolicyChoice } from '../volume.ts';
import { LABEL_FORMS, labelledOptions, type LabelledOptions, type OptionValues } from './option-table.ts';

/** The newest form of the label that this program reads, and the only one that it writes. */
export const LABEL_VERSION = 1;

/**
 * What a volume was created with and every host must honour: the options that say so in their entry, and whose they are. Travels on the
 * file system's root as an extended attribute (docs/architecture.md, "How options travel"). What a newer plugin added to it stays in the
 * object, unseen, and is written back with it.
 */
export interface VolumeLabel extends LabelledOptions {
  readonly version: typeof LABEL_VERSION;
  /** The volume's name, whole. */
  readonly name: string;
  /** The volume it was made for; labels of before 0.2.0 have none. A snapshot bears its origin's. */
  readonly volumeId?: string | undefined;
  /** The volume or snapshot that it is a copy of (options.from, for words); undefined: it is none. */
  readonly originId?: string | undefined;
}

/** What a label's text says. */
export type LabelReading =
  | { readonly kind: 'label'; readonly label: VolumeLabel }
  /** Rule 19: written for plugins that know more. `needs`: the version that the writer says is enough. */
  | { readonly kind: 'newer'; readonly version: number; readonly needs: string | undefined }
  | { readonly kind: 'unreadable'; readonly why: string };

/**
 * The one schema of a label, for wherever it is stored. A field that an older plugin may ignore is added here as an
 * optional one with a default; anything else takes a new version (docs/architecture.md, "How options travel").
 */
export const labelSchema: z.ZodType<VolumeLabel> = z.looseObject({
  version: z.literal(LABEL_VERSION),
  name: z.string(),
  ...LABEL_FORMS,
  volumeId: z.string().optional(),
  originId: z.string().optional(),
});

/** Whose label it is. */
interface LabelOwner {
  readonly name: VolumeName;
  readonly volumeId: VolumeId;
  /** Of a copy: what it was made of. */
  readonly originId?: VolumeId;
}

/** The label of a new volume. */
export function labelOf(options: OptionValues, owner: LabelOwner): VolumeLabel {
  const { name, volumeId, originId } = owner;
  const origin = originId === undefined ? {} : { originId };
  return { version: LABEL_VERSION, name, ...labelledOptions(options), volumeId, ...origin };
}

const newerLabel = z.object({
  version: z.int().gt(LABEL_VERSION),
  needs: z.string().max(40).optional().catch(undefined),
});

/** What a label's text says; never throws, whatever the text. */
export function readLabel(text: string): LabelReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: 'unreadable', why: 'it is no JSON' };
  }
  const newer = newerLabel.safeParse(json);
  if (newer.success) return { kind: 'newer', version: newer.data.version, needs: newer.data.needs };
  const label = labelSchema.safeParse(json);
  if (label.success) return { kind: 'label', label: label.data };
  const wrong = label.error.issues.map(({ path }) => path.join('.') || 'all of it');
  return { kind: 'unreadable', why: `not as this plugin knows it: ${[...new Set(wrong)].join(', ')}` };
}

/** The failover policy of a label; one that only a newer plugin knows counts as the strictest. */
export function failoverOf({ failover }: Pick<VolumeLabel, 'failover'>): PolicyChoice {
  return isPolicy(failover) ? failover : 'never';
}

/**
 * The policy that the volume was made with, where this host has read its label; undefined also when it was made without one. A
 * snapshot that goes by a name of its own bears its origin's label, whose policy is not its own.
 */
export function ownPolicyOf(known: {
  readonly volumeId: string;
  readonly label: VolumeLabel | undefined;
}): FailoverPolicy | undefined {
  const { volumeId, label } = known;
  if (label === undefined || (label.volumeId ?? volumeId) !== volumeId) return undefined;
  const policy = failoverOf(label);
  return policy === 'default' ? undefined : policy;
}

function isPolicy(value: string): value is PolicyChoice {
  return POLICY_CHOICES.some((policy) => policy === value);
}
