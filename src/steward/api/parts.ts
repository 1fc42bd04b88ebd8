import type { VolumeIo } from '../../array/copies.ts';
import type { PoolId } from '../../array/ids.ts';
import type { Inventory, StorageArray, VolumeActivity } from '../../array/storage-array.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { OperatorActions } from '../../volumes/operator-actions.ts';
import type { AuditTrail } from '../audit.ts';
import type { Steward } from '../steward.ts';
import type { EventStreams } from './events.ts';
import type { HostDoors } from './host-doors.ts';
import type { Tokens } from './tokens.ts';

/** What of the use cases the API offers. */
export type ApiActions = Pick<
  OperatorActions,
  | 'create'
  | 'grow'
  | 'limit'
  | 'listClasses'
  | 'listSnapshots'
  | 'remove'
  | 'removeSnapshot'
  | 'rename'
  | 'restore'
  | 'takeSnapshots'
  | 'undelete'
>;

/** What the API reads and has done. */
export interface ApiParts {
  /** Those that hold now; rejects with ConfigError where that cannot be told. */
  readonly tokens: () => Promise<Tokens>;
  readonly array: Pick<StorageArray, 'listVolumes' | 'findVolumeId' | 'getVolume'>;
  readonly activity: Pick<VolumeActivity, 'ioOf'>;
  readonly inventory: Pick<Inventory, 'readHosts'>;
  readonly actions: ApiActions;
  /** For what takes the very host that has a volume. */
  readonly hosts: Pick<HostDoors, 'askHolder'>;
  readonly steward: Pick<Steward, 'snapshot' | 'addDisk'>;
  /** What each pool did when it was last asked; none where nobody asks. */
  readonly poolIo: () => ReadonlyMap<PoolId, VolumeIo>;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly events: EventStreams;
  readonly prefix: string;
  readonly version: string;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly log: Log;
  /** Unique within a log. */
  readonly newRequestId: () => string;
  /** Runs the rest of a request so that all it sets off bears its id. */
  readonly inRequest: (id: string, rest: () => void) => void;
}
