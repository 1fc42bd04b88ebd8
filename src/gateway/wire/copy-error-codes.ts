import type { ErrorEntry } from './error-entry.ts';

/** Refusals of what concerns snapshots and snapshot policies. */
export const COPY_ENTRIES: readonly ErrorEntry[] = [
  [
    181,
    'TOO_MANY_VOLS_IN_VTREE',
    'There are too many volumes in the VTree',
    'family-full',
    'remove snapshots of this volume that are not needed',
  ],
  [
    182,
    'TOO_MANY_SNAPS_IN_VTREE',
    'There are too many snapshots in the VTree',
    'family-full',
    'remove snapshots of this volume that are not needed',
  ],
  [
    198,
    'VTREE_ID_MISMATCH',
    'To overwrite the content of a volume, the source and target volumes must be from the same V-Tree',
    'other-family',
  ],
  [
    null,
    null,
    'There are too many volumes in the consistency group',
    'capacity',
    'snapshot fewer volumes at once',
  ],
  // The numbers of what concerns policies are known from no source, only their places in the table [goscaleio].
  [
    null,
    'VOL_IS_SNAP_POLICY_SOURCE_VOL',
    'Volume is a source-volume of a Snapshot Policy',
    'policy-source',
    'take it off the snapshot policy first; its snapshots stay',
  ],
  [
    null,
    'TWO_SNAP_POLICY_SRC_VOLS_OF_SAME_VTREE',
    'A single VTree cannot contain more than one Snapshot Policy source-volume',
    'family-has-source',
    'take the other volume of the family off its snapshot policy first',
  ],
  [
    null,
    'SOURCE_VOL_ALREADY_IN_SNAP_POLICY',
    'The source volume is already associated with a Snapshot Policy',
    'family-has-source',
    'take it off its snapshot policy first',
  ],
  [
    null,
    'SOURCE_VOL_CANT_BE_AUTO_SNAPSHOT',
    "The specified volume is an auto snapshot and can't be used as a source volume",
    'rejected',
  ],
  [
    null,
    'SOURCE_VOL_NOT_IN_SNAP_POLICY',
    'The source volume is not associated with the Snapshot Policy',
    'rejected',
  ],
  [null, 'SNAP_POLICY_NOT_FOUND', 'The snapshot policy was not found', 'rejected'],
  [
    null,
    'INVALID_SNAP_POLICY_ID',
    'Invalid snapshot policy ID. Please try again with the correct ID',
    'rejected',
  ],
  [
    null,
    'VOL_IS_UNLOCKED_AUTO_SNAPSHOT',
    'The volume is an auto-snapshot and must be locked in order to perform this operation',
    'locked',
    'it belongs to its snapshot policy; take a snapshot of your own',
  ],
  [
    null,
    'DEST_VOL_IS_LOCKED_AUTO_SNAPSHOT',
    'The destination volume is a locked auto snapshot. Please acknowledge this explicitly by specifying the overwrite locked auto snapshot parameter',
    'locked',
    'it belongs to its snapshot policy',
  ],
  [
    null,
    'VOLUME_AND_SNAPSHOT_MATCH',
    'You cannot overwrite a volume with itself. Select a different volume in the V-Tree and try again',
    'rejected',
  ],
  [null, 'AUTO_SNAP_ALREADY_LOCKED', 'The auto-snapshot is already locked', 'rejected'],
  [null, null, 'The specified volume is not an auto-snapshot and hence cannot be locked', 'rejected'],
];
