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
  readonly print: (line: string) => void;
  readonly isAgreed: (question: string) => Promise<boolean>;
}

/**
 * Lists the volumes that are most likely anonymous and that no host has; where it may act, looks into each, and removes those whose
 * labels prove it and for which somebody says yes. What cannot be done with one is said, and the next is looked at.
 */
export async function removeLikelyAnonymous(host: AnonymousVolumes, to: Conversation): Promise<void> {
  // What a look that was killed has attached is free again then.
  if (to.act) await host.actions.endUnfinishedLook({}, AbortSignal.timeout(EACH_LIMIT_MS));
  const likely = await listLikelyAnonymous(host, AbortSignal.timeout(EACH_LIMIT_MS));
  if (likely.length === 0) to.print('there is no free volume whose name an engine made up');
  for (const volume of likely) {
    if (!to.act) to.print(`likely: ${wordsFor(volume)}`);
    else await lookInto(host.actions, volume, to);
  }
  if (!to.act && likely.length > 0)
    to.print(
      'nothing was removed. A stopped container on any host may still need its volume: see docker volume ls there. With --remove each volume is attached here and its label read, and then you are asked about it',
    );
}

async function lookInto(
  actions: AnonymousVolumes['actions'],
  volume: ArrayVolume,
  to: Conversation,
): Promise<void> {
  const wanted = { volumeId: volume.id, arrayName: volume.name ?? '' };
  try {
    const name = await actions.lookIntoAnonymous(wanted, AbortSignal.timeout(EACH_LIMIT_MS));
    if (name === undefined) {
      to.print(`kept: ${wordsFor(volume)}: its label does not say that an engine made its name up`);
      return;
    }
    if (!(await to.isAgreed(`Remove ${wordsFor(volume)}, "${name}", with its data?`))) {
      to.print(`kept: ${wordsFor(volume)}: nobody said yes`);
      return;
    }
    await actions.removeAnonymous(wanted, AbortSignal.timeout(EACH_LIMIT_MS));
    to.print(`removed: ${wordsFor(volume)}, "${name}"`);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    to.print(`kept: ${wordsFor(volume)}: ${error.message}`);
  }
}

function wordsFor({ id, name, sizeKiB, createdAtSeconds }: ArrayVolume): string {
  return `"${name ?? ''}" (${id}), ${formatSize(sizeKiB)}, made ${madeAt(createdAtSeconds)}`;
}

function madeAt(createdAtSeconds: number | null): string {
  return createdAtSeconds === null ? 'at an unknown time' : new Date(createdAtSeconds * 1000).toISOString();
}
