import { isPluginError } from '../errors.ts';
import { formatSize } from '../units/size.ts';
import type { OperatorActions } from '../volumes/operator-actions.ts';
import { listLikelyAnonymous, type AnonymousHost } from '../volumes/upkeep/anonymous.ts';
import type { ArrayVolume } from '../array/volume.ts';

/** For one volume: to attach it, look, take it off and remove it. */
const EACH_LIMIT_MS = 120_000;

/** Where the volumes are listed, and what may be done to them. */
interface AnonymousVolumes extends Pick<AnonymousHost, 'array' | 'prefix'> {
  readonly actions: Pick<OperatorActions, 'endUnfinishedLook' | 'lookIntoAnonymous' | 'removeAnonymous'>;
}

interface Conversation {
  /** False: only list. */
  readonly act: boolean;
  readonly tell: (finding: AnonymousFinding) => void;
  readonly isAgreed: (question: string) => Promise<boolean>;
}

/** What came of one volume; with --json, as it is here. */
export interface AnonymousFinding {
  readonly id: string;
  readonly arrayName: string | null;
  readonly sizeKiB: number;
  /** ISO 8601; null: the array does not say. */
  readonly made: string | null;
  /** likely: nothing was looked into. */
  readonly outcome: 'likely' | 'kept' | 'removed';
  /** As its label says it; null: not read, or it does not say that an engine made it up. */
  readonly name: string | null;
  /** Why it was kept. */
  readonly why: string | null;
}

/**
 * Lists the volumes that are most likely anonymous and that no host has; where it may act, looks into each, and removes those whose
 * labels prove it and for which somebody says yes. What cannot be done with one is told of, and the next is looked at. `tell` hears of each at once.
 */
export async function removeLikelyAnonymous(
  host: AnonymousVolumes,
  to: Conversation,
): Promise<readonly AnonymousFinding[]> {
  // What a look that was killed has attached is free again then.
  if (to.act) await host.actions.endUnfinishedLook({}, AbortSignal.timeout(EACH_LIMIT_MS));
  const likely = await listLikelyAnonymous(host, AbortSignal.timeout(EACH_LIMIT_MS));
  const findings: AnonymousFinding[] = [];
  for (const volume of likely) {
    const finding = to.act
      ? await lookInto(host.actions, volume, to)
      : findingOf(volume, { outcome: 'likely', name: null, why: null });
    to.tell(finding);
    findings.push(finding);
  }
  return findings;
}

/** One line. */
export function textForFinding({ outcome, name, why, ...volume }: AnonymousFinding): string {
  const known = outcome === 'removed' && name !== null ? `, "${name}"` : '';
  return `${outcome}: ${wordsFor(volume)}${known}${why === null ? '' : `: ${why}`}\n`;
}

/** After them. */
export function textAfterFindings(findings: readonly AnonymousFinding[], acted: boolean): string {
  if (findings.length === 0) return 'there is no free volume whose name an engine made up\n';
  return acted
    ? ''
    : 'nothing was removed. A stopped container on any host may still need its volume: see docker volume ls there. With --remove each volume is attached here and its label read, and then you are asked about it\n';
}

async function lookInto(
  actions: AnonymousVolumes['actions'],
  volume: ArrayVolume,
  to: Conversation,
): Promise<AnonymousFinding> {
  const wanted = { volumeId: volume.id, arrayName: volume.name ?? '' };
  const kept = (why: string, name: string | null = null): AnonymousFinding =>
    findingOf(volume, { outcome: 'kept', name, why });
  try {
    const name = await actions.lookIntoAnonymous(wanted, AbortSignal.timeout(EACH_LIMIT_MS));
    if (name === undefined) return kept('its label does not say that an engine made its name up');
    const asked = `Remove ${wordsFor(findingOf(volume))}, "${name}", with its data?`;
    if (!(await to.isAgreed(asked))) return kept('nobody said yes', name);
    await actions.removeAnonymous(wanted, AbortSignal.timeout(EACH_LIMIT_MS));
    return findingOf(volume, { outcome: 'removed', name, why: null });
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return kept(error.message);
  }
}

function findingOf(
  { id, name: arrayName, sizeKiB, createdAtSeconds }: ArrayVolume,
  came: Pick<AnonymousFinding, 'outcome' | 'name' | 'why'> = { outcome: 'likely', name: null, why: null },
): AnonymousFinding {
  const made = createdAtSeconds === null ? null : new Date(createdAtSeconds * 1000).toISOString();
  return { id, arrayName, sizeKiB, made, ...came };
}

function wordsFor({
  id,
  arrayName,
  sizeKiB,
  made,
}: Pick<AnonymousFinding, 'id' | 'arrayName' | 'sizeKiB' | 'made'>): string {
  return `"${arrayName ?? ''}" (${id}), ${formatSize(sizeKiB)}, made ${made ?? 'at an unknown time'}`;
}
