import type { SystemId, VolumeId } from '../../../src/array/ids.ts';
import type { AttachProblem } from '../../../src/errors.ts';
import type { Attacher } from '../../../src/attach/attacher.ts';

/** What happens to the host and at the array without anybody who uses the port. */
interface Outside {
  /** The array gives the host the volume, and its device appears. */
  give(volumeId: VolumeId): Promise<void>;
  /** As give, but the host is not told, and learns of it only when it asks the array again. */
  giveUnheard(volumeId: VolumeId): Promise<void>;
  /** The array takes the volume from the host, whoever uses its device. */
  take(volumeId: VolumeId): Promise<void>;
  /** What leads to the volume's device leads to another volume's disk from now on, which is of the same size. */
  replace(volumeId: VolumeId): Promise<void>;
  /** The array makes the volume twice as large. */
  double(volumeId: VolumeId): Promise<void>;
  /** The device stays, but nothing leads to it by the volume's id any more. */
  loseLinks(): Promise<void>;
  /** This is wrong with the SDC from now on. */
  breakSdc(problem: SdcProblem): Promise<void>;
}

/** What can be wrong with an SDC as its host sees it. */
export type SdcProblem = Extract<
  AttachProblem,
  'not-installed' | 'not-loaded' | 'not-connected' | 'command-failed'
>;

/** A host of its own for one test, which also ends it: its SDC is connected to one system and has no volume. */
export interface OpenHost {
  readonly attacher: Attacher;
  /** The GUID by which the array knows the host. */
  readonly guid: string;
  readonly systemId: SystemId;
  /** Two volumes of the system. */
  readonly volumes: readonly [VolumeId, VolumeId];
  readonly sizeBytes: number;
  readonly outside: Outside;
  /** Waits for what was begun; where time stands still by itself it passes meanwhile. */
  settle<T>(begun: Promise<T>): Promise<T>;
}

/** patient: it waits longer for a device than any test lasts. Else it gives up before the test does. */
export type OpenAttacher = (how: { readonly patient: boolean }) => Promise<OpenHost>;
