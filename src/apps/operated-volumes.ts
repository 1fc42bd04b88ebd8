import { release } from 'node:os';
import { isDeviceHeld } from '../filesystem/exclusive-open.ts';
import { inspectLabel } from '../filesystem/label-inspection.ts';
import type { Runner } from '../host/run.ts';
import { inspectionRecord } from '../journal/inspection-record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { LifeActions } from '../volumes/life/life-actions.ts';
import type { VolumeLock } from '../volumes/life/volume-lock.ts';
import type { DataActions } from '../volumes/data-actions.ts';
import { holderActions } from '../volumes/operated-volumes.ts';
import type { OperatorActions } from '../volumes/operator-actions.ts';
import type { FenceLog, HostVolume } from '../volumes/ports.ts';
import type { TrashActions } from '../volumes/trash/trash-actions.ts';
import { VolumeOperator } from '../volumes/takeover/operator.ts';
import type { VolumeHost } from '../volumes/volume-host.ts';

/** Whose volumes are operated: those of the plugin, or of a command where no plugin runs. */
export interface OperatedParts extends Pick<VolumeHost, 'array' | 'attacher' | 'identity' | 'deviceUsers'> {
  readonly fences: FenceLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly runner: Runner;
  readonly stateDir: string;
  readonly prefix: string;
  readonly lock: VolumeLock;
  /** What the plugin of this host works with; rejects when that cannot be told. */
  readonly entries: () => Promise<readonly HostVolume[]>;
}

/** What an operator may have done to volumes on this host; `others`: with what is in them, with new ones and with removed ones. */
export function operateVolumes(
  parts: OperatedParts,
  others: DataActions & TrashActions & LifeActions & Pick<OperatorActions, 'lookAtRoom'>,
): OperatorActions {
  const { prefix, stateDir, runner, entries } = parts;
  const holders = holderActions({
    ...parts,
    operator: new VolumeOperator(parts, { prefix }),
    filesystems: { isHeld: isDeviceHeld },
    anonymous: {
      ...parts,
      // As a Mount has it; a person waits here, too.
      policy: { heldWaitMs: 10_000, cleanupMs: 15_000 },
      record: inspectionRecord(stateDir),
      isEntered: async (volumeId) => (await entries()).some((entry) => entry.volumeId === volumeId),
      labelOn: (device, limit) => inspectLabel({ runner, kernelRelease: release() }, device, limit),
      isHeld: isDeviceHeld,
    },
  });
  return { ...holders, ...others };
}
