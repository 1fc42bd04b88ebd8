import { RunningPluginError, type PluginError } from '../errors.ts';
import type { StorageArray } from '../array/storage-array.ts';
import type { ArrayVolume } from '../array/volume.ts';
import { copyActions, type CopyActions } from './copies/copy-actions.ts';
import { freezingHere } from './copies/freeze-here.ts';
import { RestoreVolume } from './copies/restore-volume.ts';
import type { SnapshotHost } from './copies/take-snapshots.ts';
import { growVolume, type GrownVolume } from './growth/grow-volume.ts';
import type { DeviceGrowth, FilesystemGrowth } from './growth/device-growth.ts';
import { findByName, VolumeLookup } from './life/lookup.ts';
import { MountVolume } from './life/mount.ts';
import type { VolumeLock } from './life/volume-lock.ts';
import { changeLimits, type LimitingHost } from './limits/change-limits.ts';
import { keepingLimits } from './limits/keep-limits.ts';
import { arrayNameFor, validateVolumeName } from './naming.ts';
import type { GrowthReport, OperatorActions } from './operator-actions.ts';
import type { Freezer } from './ports.ts';
import type { VolumeHost } from './volume-host.ts';
import type { VolumeName } from './volume.ts';

/** What is done with a volume's data and size, whoever has it. */
export type DataActions = Pick<OperatorActions, 'grow' | 'limit'> & CopyActions;

/** How long who asks waits for the file system to follow, ms. */
const FOLLOW_MS = 5000;

interface DataHost extends Pick<SnapshotHost, 'freeze' | 'clock' | 'log'> {
  readonly array: StorageArray;
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
  readonly keepLimits: LimitingHost['keep'];
  readonly follow: DeviceGrowth['follow'];
  readonly restore: RestoreVolume['restore'];
  readonly lock: VolumeLock;
}

/** On a host whose plugin runs. */
export function dataActionsOn(
  host: VolumeHost,
  {
    lock,
    growth,
    freezer,
  }: {
    readonly lock: VolumeLock;
    readonly growth: Pick<DeviceGrowth, 'follow'>;
    readonly freezer: Pick<Freezer, 'freeze'>;
  },
): DataActions {
  const lookup = new VolumeLookup(host);
  const restoring = new RestoreVolume(host, lookup);
  return dataActions({
    ...host,
    freeze: freezingHere(host, freezer),
    find: async (name, signal) => {
      const volume = await lookup.find(name, signal);
      if (volume !== undefined) lookup.remember(name, volume);
      return volume;
    },
    keepLimits: keepingLimits(host, new MountVolume(host, lookup)),
    follow: (name, sizeKiB, signal) => growth.follow(name, sizeKiB, signal),
    restore: (wish, signal) => restoring.restore(wish, signal),
    lock,
  });
}

interface WithoutPlugin extends Pick<DataHost, 'array' | 'clock' | 'lock' | 'log'> {
  readonly prefix: string;
  /** Why a volume is not changed that would have to be mounted for it. Default: a RunningPluginError. */
  readonly needsHost?: (name: string) => PluginError;
}

/** Where no plugin runs: what the array alone can do. The rest rejects as `needsHost` says. */
export function dataActionsWithout({ prefix, needsHost = needsPlugin, ...host }: WithoutPlugin): DataActions {
  const { array } = host;
  return dataActions({
    ...host,
    freeze: () => Promise.resolve(undefined),
    find: (name, signal) => findByName(array, arrayNameFor(prefix, name), signal),
    keepLimits: (volume, name) =>
      volume.attachments.length > 0 ? Promise.resolve(undefined) : Promise.reject(needsHost(name)),
    follow: () => Promise.resolve({ kind: 'not-mounted' }),
    restore: ({ name }) =>
      Promise.reject(
        new RunningPluginError(
          `volume "${name}" was not restored: a host must have it meanwhile and see it through, and no plugin runs here; start it, or ask where one runs`,
        ),
      ),
  });
}

function needsPlugin(name: string): RunningPluginError {
  return new RunningPluginError(
    `volume "${name}" was not changed: no host has it, so it would have to be mounted for a moment, and no plugin runs here that could; ` +
      'start the plugin, or ask where one runs',
  );
}

function dataActions(host: DataHost): DataActions {
  const { array, find, keepLimits, lock, follow } = host;
  return {
    ...copyActions(host),

    grow: async ({ name: raw, sizeKiB }, signal) => {
      const name = validateVolumeName(raw);
      const grown = await lock.run(name, 'growth', signal, () => growVolume(host, { name, sizeKiB }, signal));
      const limit = AbortSignal.any([signal, AbortSignal.timeout(FOLLOW_MS)]);
      return reportOf(grown, await follow(name, grown.sizeKiB, limit));
    },

    limit: async ({ name: raw, ...wanted }, signal) => {
      const name = validateVolumeName(raw);
      return lock.run(name, 'change of limits', signal, () =>
        changeLimits({ array, find, keep: keepLimits }, { name, ...wanted }, signal),
      );
    },
  };
}

function reportOf({ beforeKiB, sizeKiB, holder }: GrownVolume, followed: FilesystemGrowth): GrowthReport {
  const sizes = { beforeKiB, sizeKiB, holder };
  switch (followed.kind) {
    case 'grown':
      return { ...sizes, filesystem: 'here', why: null };
    case 'later':
      return { ...sizes, filesystem: 'later', why: followed.why };
    case 'not-mounted':
      return { ...sizes, filesystem: holder === null ? 'mount' : 'holder', why: null };
  }
}
