import { RunningPluginError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import { quote } from '../../units/quote.ts';
import { arrayNameFor, validateVolumeName } from '../naming.ts';
import type { OperatorActions } from '../operator-actions.ts';
import type { NewVolumes } from '../options/classes.ts';
import type { VolumeHost } from '../volume-host.ts';
import { asVolumeName } from '../volume.ts';
import { adoptVolume, planAdoption } from './adopt.ts';
import { creatingAsked } from './create-asked.ts';
import { findByName, VolumeLookup } from './lookup.ts';
import { MountVolume } from './mount.ts';
import { renameVolume, type Renaming } from './rename.ts';
import { sealVolume } from './seal.ts';
import type { VolumeLock } from './volume-lock.ts';

/** What is done about which volumes there are, what they are called, and what they are made with. */
export type LifeActions = Pick<OperatorActions, 'create' | 'rename' | 'seal' | 'adopt' | 'listClasses'>;

/** On a host whose plugin runs. */
export function lifeActionsOn(host: VolumeHost, lock: VolumeLock, newVolumes: NewVolumes): LifeActions {
  const { array, journal, log, policy } = host;
  const { prefix } = policy;
  const lookup = new VolumeLookup(host);
  const mount = new MountVolume(host, lookup);
  const create = creatingAsked(host, lookup, { lock, newVolumes });
  return {
    ...lookingActions(newVolumes),

    create: async (asked, signal) => {
      const warnings: string[] = [];
      const warn = (volume: string, warning: string): void => {
        log.warn({ volume }, warning);
        warnings.push(warning);
      };
      const name = await create(asked, warn, signal);
      return { name, volumeId: journal.known(name)?.volumeId ?? null, warnings };
    },

    rename: async ({ name, to }, signal) => {
      const renaming = { from: validateVolumeName(name), to: validateVolumeName(to) };
      const find = (wanted: Renaming['from'], limit: AbortSignal): ReturnType<VolumeLookup['find']> =>
        lookup.find(wanted, limit);
      return inTurnOfBoth(lock, renaming, signal, async () => {
        const volume = await renameVolume({ array, prefix, find }, renaming, signal);
        const known = journal.known(renaming.from);
        journal.forget(renaming.from);
        lookup.remember(renaming.to, volume, known?.label);
        return { name: renaming.to, volumeId: volume.id };
      });
    },

    seal: async ({ name: raw }, signal) => {
      const name = validateVolumeName(raw);
      return lock.run(name, 'sealing', signal, async () => ({
        isChanged: await sealVolume(host, { lookup, mount, name }, signal),
      }));
    },

    adopt: async (request, signal) => {
      const adoption = planAdoption(prefix, request);
      const { from, to, name } = adoption;
      const adopt = (): ReturnType<LifeActions['adopt']> => adoptVolume(host, lookup, adoption, signal);
      return lock.run(name, 'adoption', signal, () =>
        from === to ? adopt() : lock.runOnArrayName(from, 'adoption', signal, adopt),
      );
    },
  };
}

/** Where no plugin runs: what the settings tell and the array alone can do. The rest rejects with RunningPluginError. */
export function lifeActionsWithout(
  {
    array,
    prefix,
    lock,
  }: { readonly array: StorageArray; readonly prefix: string; readonly lock: VolumeLock },
  newVolumes: NewVolumes,
): LifeActions {
  const find = (name: Renaming['from'], signal: AbortSignal): ReturnType<typeof findByName> =>
    findByName(array, arrayNameFor(prefix, name), signal);
  return {
    ...lookingActions(newVolumes),
    create: ({ name }) => Promise.reject(needsPlugin(`volume ${quote(name)} was not made`)),
    rename: async ({ name, to }, signal) => {
      const renaming = { from: validateVolumeName(name), to: validateVolumeName(to) };
      return inTurnOfBoth(lock, renaming, signal, async () => {
        const { id } = await renameVolume({ array, prefix, find }, renaming, signal);
        return { name: renaming.to, volumeId: id };
      });
    },
    seal: ({ name }) => Promise.reject(needsPlugin(`volume ${quote(name)} can still be written`)),
    adopt: ({ arrayName }) => Promise.reject(needsPlugin(`volume ${quote(arrayName)} was not adopted`)),
  };
}

function lookingActions({ classes }: NewVolumes): Pick<LifeActions, 'listClasses'> {
  return {
    listClasses: () => Promise.resolve([...classes].map(([name, { options }]) => ({ name, options }))),
  };
}

/** The lock of the name that comes first is taken first, whoever asks: two that rename to and fro do not wait for each other. */
function inTurnOfBoth<T>(
  lock: VolumeLock,
  { from, to }: Renaming,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  if (from === to) return lock.run(from, 'renaming', signal, work);
  const [first = '', second = ''] = [from, to].toSorted();
  return lock.run(asVolumeName(first), 'renaming', signal, () =>
    lock.run(asVolumeName(second), 'renaming', signal, work),
  );
}

function needsPlugin(what: string): RunningPluginError {
  return new RunningPluginError(
    `${what}: it has to be attached here for that, and no plugin runs here that could; start it, or ask where one runs`,
  );
}
