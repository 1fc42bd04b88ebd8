import { isPluginError, VolumeInUseError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatDuration } from '../../units/duration.ts';
import { isRestoring, restoredOn, type RestoringVolume } from '../host-volume.ts';
import { mayStillHappen } from '../life/late-requests.ts';
import { letOthersTake } from './restore-hold.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import {
  assertClosed,
  dropRestore,
  finishRestore,
  letGoOfRestore,
  whyNotStood,
  type ToFinish,
} from './finish-restore.ts';

const GONE = 'it is gone from the array';

/** finished: nothing of it is left here. postponed: an earlier request may still come, or something of it could not be done now. */
export type SettledRestore = 'finished' | 'postponed';

/**
 * Ends a restore that was cut short, by the end of the plugin or by a gateway that did not answer. Where the array was not asked to
 * overwrite the volume, it is let go of as it is. Else it is asked again, once no earlier request can come any more, and only if the
 * attachment has stood since: otherwise another host may have written to it. Then the restore is dropped and told. Call with the lock held.
 * Rejects as the array and the file systems do; the entry stays then.
 */
export async function settleRestore(
  host: VolumeHost,
  entry: RestoringVolume,
  signal: AbortSignal,
): Promise<SettledRestore> {
  const { array, filesystems, identity, journal, log, policy } = host;
  await filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
  const { step, snapshot } = entry.restore;
  if (step === 'attaching') {
    if ((await letOthersTake(host, entry, signal)) === 'awaited') return 'postponed';
    log.info({ volume: entry.name, snapshot }, 'a restore was cut short before anything was changed');
    return outcomeOf(await letGoOfRestore(host, entry, signal));
  }
  const me = await identity.current(signal);
  const volume = await array.getVolume(entry.volumeId, signal);
  const broken = whyNotAlone(host, { entry, volume, me }) ?? (await whyUnproven(host, entry));
  const isHere = volume?.attachments.some(({ hostId }) => hostId === me.hostId) === true;
  // A request of before that comes late must not meet another host.
  if (isHere && journal.ageMs(entry.name) < policy.lateMs) return 'postponed';
  if (volume === undefined || broken !== undefined)
    return drop(host, { entry, isHere }, broken ?? GONE, signal);
  if (step === 'finishing') return finish(host, { entry, volume, me }, signal);
  const refused = await overwriteAgain(host, entry, signal);
  if (refused !== undefined) return drop(host, { entry, isHere }, refused, signal);
  const restored = restoredOn(entry, { ...entry.restore, step: 'finishing' });
  await journal.put(restored);
  return finish(host, { entry: restored, volume, me }, signal);
}

/** What cannot be done any more is told; its content is there. */
async function finish(host: VolumeHost, at: ToFinish, signal: AbortSignal): Promise<SettledRestore> {
  const { entry } = at;
  try {
    await finishRestore(host, at, signal);
  } catch (cause) {
    if (!isPluginError(cause) || signal.aborted) throw cause;
    host.log.warn(
      { volume: entry.name, error: cause.message },
      'restored, and its label is that of the snapshot',
    );
  }
  host.log.info(
    { volume: entry.name, snapshot: entry.restore.snapshot },
    'a restore that was cut short is done',
  );
  if ((await letOthersTake(host, entry, signal)) === 'awaited') return 'postponed';
  return outcomeOf(await letGoOfRestore(host, entry, signal));
}

/**
 * Settles a restore of this volume that was cut short, so that something else can be done with it. Costs nothing where there is none. Rejects
 * with VolumeInUseError while that cannot be, and as settleRestore.
 */
export async function assertRestoreSettled(
  host: VolumeHost,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { journal, policy } = host;
  const entry = journal.get(name);
  if (entry === undefined || !isRestoring(entry)) return;
  if ((await settleRestore(host, entry, signal)) === 'finished') return;
  throw new VolumeInUseError(
    `volume "${name}" cannot be used now: its restore to "${name}@${entry.restore.snapshot}" was cut short, and the array may still be at it; ` +
      `this host settles that within ${formatDuration(policy.lateMs)}, see docker-volume-scaleio volume show ${name}`,
    { context: { volumeId: entry.volumeId } },
  );
}

function outcomeOf(isGone: boolean): SettledRestore {
  return isGone ? 'finished' : 'postponed';
}

interface Seen {
  readonly entry: RestoringVolume;
  readonly volume: ArrayVolume | undefined;
  readonly me: HostIdentity;
}

function whyNotAlone(
  { identity }: Pick<VolumeHost, 'identity'>,
  { entry, volume, me }: Seen,
): string | undefined {
  if (volume === undefined) return GONE;
  if (volume.name !== entry.arrayName) return `it is called "${volume.name ?? ''}" on the array by now`;
  const isAlone = volume.attachments.length === 1 && !volume.attachedToAll;
  if (!isAlone || volume.attachments[0]?.hostId !== me.hostId)
    return 'it is no longer attached to this host alone';
  return identity.doubt;
}

async function whyUnproven(host: VolumeHost, entry: RestoringVolume): Promise<string | undefined> {
  if (entry.earlierBoot === true) return 'this host has booted since';
  if (entry.restore.diskSequence === undefined)
    return 'the kernel of this host does not tell whether its device has gone and come back since';
  return whyNotStood(host, entry);
}

async function drop(
  host: VolumeHost,
  { entry, isHere }: { readonly entry: RestoringVolume; readonly isHere: boolean },
  why: string,
  signal: AbortSignal,
): Promise<SettledRestore> {
  if ((await letOthersTake(host, entry, signal)) === 'awaited') return 'postponed';
  await dropRestore(host, entry, why);
  if (isHere) return outcomeOf(await letGoOfRestore(host, entry, signal));
  await host.journal.delete(entry.name);
  return 'finished';
}

/** Why the array refused; undefined when it has done it. From here on that may come late, too. */
async function overwriteAgain(
  host: VolumeHost,
  entry: RestoringVolume,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { array, clock, journal } = host;
  await assertClosed(host, `restoring volume "${entry.name}" cannot be repeated`, entry);
  await journal.put(restoredOn(entry, entry.restore, new Date(clock.now()).toISOString()));
  try {
    await array.overwriteContent(entry.volumeId, entry.restore.sourceId, signal);
    return undefined;
  } catch (cause) {
    if (!isPluginError(cause) || mayStillHappen(cause)) throw cause;
    return cause.message;
  }
}
