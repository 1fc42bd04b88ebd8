import * as z from 'zod';
import { asArrayName, asHostId, asSystemId, asVolumeId } from '../array/ids.ts';
import {
  afterBoot,
  isDiscarded,
  isMarker,
  isTrashed,
  recordedVolume,
  type HostVolume,
} from '../volumes/host-volume.ts';
import type { Phase } from '../volumes/host-volume-states.ts';
import { keepAdded } from './added-fields.ts';
import { parseLine, readChecked, writeChecked } from './checked-text.ts';

export const JOURNAL_FILE = 'journal';
const FORMAT = 'docker-volume-scaleio journal';

const aboutSchema = z.object({ bootId: z.string(), mustRebuild: z.boolean() });
/** An entry as it stands in the file. Its names are those of the first version and stay, because older plugins read them. */
const line = z.looseObject({
  name: z.string(),
  arrayName: z.string().transform(asArrayName),
  volumeId: z.string().transform(asVolumeId),
  systemId: z.string().transform(asSystemId),
  phase: z.enum(['creating', 'mounting', 'mounted', 'releasing']),
  holders: z.array(z.string()),
  mountpoint: z.string(),
  since: z.string(),
  sdcId: z.string().transform(asHostId).optional(),
  heldSince: z.string().optional(),
  mapping: z.enum(['intended', 'found']).optional(),
  earlierBoot: z.boolean().optional(),
  /** What a plugin that knows the trash says of a volume in it; the phase is for those that do not. */
  trash: z.enum(['trashed', 'erasing']).optional(),
  /** What a plugin that knows restores says of one; to others the volume is to be let go of. */
  restore: z
    .looseObject({
      snapshot: z.string(),
      sourceId: z.string().transform(asVolumeId),
      keptAs: z.string(),
      step: z.enum(['attaching', 'overwriting', 'finishing']),
      hold: z.looseObject({ id: z.string().transform(asVolumeId).optional() }).optional(),
      diskSequence: z.string().optional(),
    })
    .optional(),
});
type Line = z.output<typeof line>;
const hostVolume = line.transform((written): HostVolume => {
  const { sdcId, mapping, trash, ...same } = written;
  const isOfTrash = phaseOf(written) === trash;
  return recordedVolume({
    ...same,
    phase: phaseOf(written),
    ...(sdcId === undefined ? {} : { hostId: sdcId }),
    ...(mapping === undefined || isOfTrash ? {} : { attachment: mapping }),
  });
});
const ownFields: ReadonlySet<string> = new Set([...Object.keys(line.shape), 'hostId', 'attachment']);

function phaseOf({
  phase,
  arrayName,
  trash,
  restore,
}: Pick<Line, 'phase' | 'arrayName' | 'trash' | 'restore'>): Phase {
  if (phase === 'creating' && isMarker(arrayName)) return 'unmarking';
  if (phase === 'releasing' && restore !== undefined) return 'restoring';
  return phase === 'releasing' && isTrashed(arrayName) && trash !== undefined ? trash : phase;
}

/** What stands in the file for a state that older plugins do not know: they do with it what is right for them. */
const OLDER_WORDS: Partial<Record<Phase, Phase>> = { unmarking: 'creating', restoring: 'releasing' };

/**
 * Older plugins know a marker that is to be removed by its name alone, and do with it what this one does. Of a volume in the trash they
 * know nothing: to them it is one that somebody else attached and that is attached no more, so that they forget it and leave it alone. A
 * volume that is being restored they let go of.
 */
function lineOf({ hostId, attachment, ...same }: HostVolume): string {
  if (isDiscarded(same))
    return JSON.stringify({ ...same, phase: 'releasing', mapping: 'found', trash: same.phase });
  const phase = OLDER_WORDS[same.phase] ?? same.phase;
  return JSON.stringify({ ...same, phase, sdcId: hostId, mapping: attachment });
}

/** For who reads beside the program that wrote the journal: the boot is that program's, so its holders count. */
export const SAME_BOOT = Symbol('the boot that the journal names');

/** All that the journal's file holds. */
export interface JournalContent {
  /** True from the loss of a journal until somebody says that the truth has been rebuilt. */
  readonly mustRebuild: boolean;
  readonly entries: ReadonlyMap<string, HostVolume>;
}

/** Why a journal cannot be used. */
export interface Unusable {
  readonly why: string;
  readonly isNewer: boolean;
}

/** One step from a content to the next. */
export type JournalChange =
  | { readonly kind: 'put'; readonly entry: HostVolume }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'rebuilt' };

/** The content after the changes; the one before stays as it is. */
export function applyChanges(before: JournalContent, changes: readonly JournalChange[]): JournalContent {
  const entries = new Map(before.entries);
  let { mustRebuild } = before;
  for (const change of changes) {
    if (change.kind === 'put') put(entries, change.entry);
    else if (change.kind === 'delete') entries.delete(change.name);
    else mustRebuild = false;
  }
  return { mustRebuild, entries };
}

function put(entries: Map<string, HostVolume>, entry: HostVolume): void {
  const before = entries.get(entry.name);
  const isSame = before?.volumeId === entry.volumeId;
  entries.set(entry.name, isSame ? keepAdded(before, entry, ownFields) : entry);
}

/** The journal's bytes. `bootId`: of the boot that its holders belong to. */
export function writeContent(content: JournalContent, bootId: string): Promise<Uint8Array> {
  const lines = [...content.entries.values()].map(lineOf);
  return writeChecked(FORMAT, { bootId, mustRebuild: content.mustRebuild }, lines);
}

/**
 * Reads the journal's text; answers why when it cannot be used, never throws. `isNewer`: because a newer plugin wrote it, whole,
 * in a way that this one does not know (rule 19).
 */
export function readContent(text: string, bootId: string | typeof SAME_BOOT): JournalContent | Unusable {
  const checked = readChecked(FORMAT, text);
  if (!checked.usable) return checked;
  const about = aboutSchema.safeParse(checked.about);
  const read = z.array(hostVolume).safeParse(checked.lines.map(parseLine));
  // The checksum was right, so these are the words of a program, and not of this one.
  if (!about.success || !read.success)
    return { why: 'its entries are not as this program writes them', isNewer: true };
  const isSameBoot = bootId === SAME_BOOT || about.data.bootId === bootId;
  const entries = isSameBoot ? read.data : read.data.map(afterBoot);
  return {
    mustRebuild: about.data.mustRebuild,
    entries: new Map(entries.map((entry) => [entry.name, entry])),
  };
}
