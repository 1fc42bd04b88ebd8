/** Part of a composite failure, one per volume of a bulk command. */
export interface FailureDetail {
  readonly error: string;
  readonly rc: number;
  readonly errorMessage: string;
}

/** The MDM or the gateway refuses a request; becomes the reply's status and JSON body. */
export class ArrayError extends Error {
  readonly status: number;
  readonly code: number;
  readonly details: readonly FailureDetail[] | undefined;

  constructor(message: string, reply: { status: number; code: number; details?: readonly FailureDetail[] }) {
    super(message);
    this.name = 'ArrayError';
    this.status = reply.status;
    this.code = reply.code;
    this.details = reply.details;
  }
}

/**
 * Codes and texts of the MDM, from the product's own table [codes]. Numbers from 227 up are estimates except 306, 717,
 * 718, 4037 and 4039; 900 to 1099 stand for texts whose number no source gives.
 */
const FAILURES = {
  NOT_FOUND: [3, 'Not found'],
  COMMUNICATION_ERROR: [69, 'Communication error'],
  DEVICE_NOT_OPENED: [71, 'The device could not be opened'],
  TGT_NOT_FOUND: [78, 'Could not find SDS'],
  VOL_NOT_FOUND: [79, 'Could not find the volume'],
  INI_NOT_FOUND: [80, 'Could not find the SDC'],
  VOL_ALREADY_MAPPED_TO_THIS_INI: [81, 'The volume is already mapped to this SDC'],
  VOL_ALREADY_MAPPED_TO_ALL_INIS: [82, 'The volume is already mapped to all SDCs'],
  VOL_NOT_MAPPED_TO_INI: [84, 'The volume is not mapped to SDC'],
  VOL_MAPPED_TO_ALL_INIS: [86, 'The volume is mapped to all SDCs'],
  TOO_MANY_MAPPINGS: [87, 'There are too many mappings'],
  TGT_ADDR_AND_PORT_IN_USE: [
    93,
    'The SDS IP address and port already in use. Please try with different ones.',
  ],
  TOO_MANY_VOLS: [97, 'There are too many volumes'],
  TGT_NAME_IN_USE: [98, 'SDS name is already in use. Please use a different name.'],
  VOL_NAME_IN_USE: [99, 'Volume name already in use. Please use a different name.'],
  VOL_MAPPED: [104, 'Volume is mapped'],
  DUPLICATE_TGT_DEVICE_NAME: [100, 'Duplicate SDS device name'],
  BAD_HOSTNAME: [120, 'An invalid IP or host-name specified'],
  TOO_MANY_DEVICES: [125, 'There are too many devices for SDS'],
  TGT_DEVICE_NOT_FOUND: [126, 'Could not find the SDS device'],
  VOL_DECREASE_NOT_SUPPORTED: [133, 'Volume capacity can only be increased'],
  TGT_DEV_BEING_REMOVED: [135, 'The SDS device is being removed'],
  FD_NAME_IN_USE: [141, 'Protection Domain name already in use. Please try a different name.'],
  FD_NOT_FOUND: [142, 'Could not find Protection Domain'],
  FD_HAS_TGTS: [143, 'Protection Domain has SDSs'],
  NOT_ENOUGH_TGTS_IN_STORAGE_POOL: [
    144,
    'Less than three devices from different SDSs are defined in this Storage Pool. Add devices to the Storage Pool from additional SDSs.',
  ],
  VOL_ALLOC_ERROR_BUSY: [164, 'The system is busy. Retry later'],
  NO_PERMISSIONS: [
    168,
    'You do not have permission to perform this operation. Please contact your system administrator for assistance.',
  ],
  STORAGE_POOL_NOT_FOUND: [171, 'Could not find Storage Pool'],
  STORAGE_POOL_HAS_DEVS: [172, 'The Storage Pool has SDS devices'],
  STORAGE_POOL_NAME_ALREADY_EXISTS: [173, 'Storage Pool name already exists'],
  FD_HAS_STORAGE_POOLS: [176, 'Protection Domain has Storage Pools'],
  INI_HAS_MAPPINGS: [180, 'SDC has mapped volume(s)'],
  TOO_MANY_SNAPS_IN_VTREE: [182, 'There are too many snapshots in the VTree'],
  VOL_NOT_FOUND_FOR_SNAP_GROUP: [
    185,
    'No volumes were found under the given consistency group or the consistency group ID is not valid',
  ],
  LAST_IP: [187, 'SDS must have at least one IP address'],
  VOL_SIZE_TOO_LARGE: [190, 'The volume size too large'],
  CAPACITY_TOO_LOW_FOR_SNAP: [191, 'The capacity of the Storage Pool is too small to create new snapshots'],
  IP_BELONGS_TO_OTHER_TGT: [
    192,
    'The specified IP address belongs to another SDS. Please use the correct IP address.',
  ],
  TGT_IP_NOT_FOUND: [193, 'The SDS IP address cannot be found.'],
  STORAGE_POOL_HAS_VOLS: [
    196,
    'The Storage Pool has volumes. Please remove all the volumes before removing the Storage Pool.',
  ],
  FD_AND_SP_MISMATCH: [197, 'The specified Storage Pool is not in the specified Protection Domain'],
  VTREE_ID_MISMATCH: [
    198,
    'To overwrite the content of a volume, the source and target volumes must be from the same V-Tree.',
  ],
  TGT_MUST_HAVE_TGT_IP_ROLE: [199, 'SDS must have at least one IP for SDS communication.'],
  TGT_IP_ALREADY_EXISTS: [200, 'The SDS IP already exists.'],
  ROLE_ALREADY_SET: [201, 'The IP role for this SDS has already been configured.'],
  DEV_NAME_ALREADY_EXISTS: [206, 'A device with the given name already exists in the SDS'],
  DEV_SIZE_TOO_SMALL: [207, 'The specified device size is too small.'],
  DEV_SIZE_TOO_LARGE: [
    208,
    'The specified device size is too large. Please specify a size smaller than the capacity of the specified device.',
  ],
  FD_NOT_ACTIVE: [213, 'The Protection Domain is not active. '],
  VOL_SIZE_ILLEGAL: [225, 'The specified volume size is illegal. Volume size must be in 8 GB blocks'],
  LONG_NAME: [226, 'The given name exceeds the allowed length of 31 characters.'],
  INVALID_NAME: [
    227,
    'The given name contains invalid characters. Use alphanumeric and punctuation characters only. Spaces are not allowed.',
  ],
  INVALID_VTREE_ID: [230, 'Invalid VTree ID. Please try again with the correct ID. '],
  FAULT_SET_NOT_FOUND: [265, 'Could not find the Fault Set'],
  FAULT_SET_NAME_ALREADY_EXISTS: [266, 'This Fault Set name already exists. Please use a different name.'],
  FAULT_SET_HAS_TGTS: [
    267,
    'This Fault Set is not empty, and cannot be removed. Please remove all SDSs from the Fault Set, and then try again.',
  ],
  INI_MAPPED_TO_TOO_MANY_VOLS: [303, 'The SDC is mapped to too many volumes. Please remove some mapping.'],
  SINGLE_MAPPING_2: [306, 'Only a single SDC may be mapped to this volume at a time'],
  SINGLE_MAPPING_3: [306, 'This volume is already mapped and may not be mapped to additional SDCs.'],
  INI_MUST_BE_DISCONNECTED: [307, 'Cannot remove an SDC which is currently connected to the MDM.'],
  TOO_MUCH_THIN_CAPACITY: [309, 'Requested volume size exceeds the volume allocation limit'],
  INVALID_TGT_NETWORK_LIMITS: [
    316,
    'Invalid limits provided. The overall limit must be higher than the rebuild, rebalance, and migration limits. Each limit must be more than 5 MB',
  ],
  INITIATOR_NOT_APPROVED: [331, 'The SDC is not approved'],
  VOLUME_AND_SNAPSHOT_MATCH: [
    339,
    'You cannot overwrite a volume with itself. Select a different volume in the V-Tree and try again.',
  ],
  CAPACITY_TOO_LOW_FOR_THIN_VOL: [
    346,
    'Storage Pool reached critical capacity utilization. Unable to create new thin volumes',
  ],
  INVALID_GUID: [
    357,
    'The given GUID is invalid. Please specify GUID in the following format: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
  ],
  VTREE_MIGRATE_SAME_SP: [
    718,
    'The destination Storage Pool and the source Storage Pool are the same. Please use a destination Storage Pool that is different than the source Storage Pool.',
  ],
  INI_NAME_IN_USE: [900, 'SDC name is already in use. Please use a different name.'],
  INI_ALREADY_APPROVED: [901, 'The SDC is already approved.'],
  INI_HAS_UNAPPROVED_MAPPINGS: [902, 'Approve the SDC or remove its mappings'],
  INI_HAS_UNAPPROVED_IP_MAPPINGS: [912, 'Approve the IP addresses for the SDC or remove its mappings'],
  INI_IP_NOT_IN_SET: [903, 'The current SDC IP must be in the set of IPs.'],
  SNAP_NOT_CHILD: [904, 'Volume must be direct parent of the snapshot'],
  SECURE_SNAPSHOT: [
    905,
    'The snapshot is secured and cannot be removed before its retention time has passed',
  ],
  COMPRESSION_NEEDS_FG: [906, 'Compression may only be enabled on volumes with Fine Granularity layout'],
  THICK_ON_FG: [907, 'Thick volumes cannot be added to fine granularity Storage Pools'],
  DEVICE_NEEDED: [908, 'The remaining devices of the Storage Pool cannot hold the data of this device'],
  DEVICE_HOLDS_DATA: [
    909,
    'The device holds data or was part of a system. To use it nevertheless, force the device takeover',
  ],
  TGT_HAS_DEVICES: [910, 'The SDS has devices. Remove its devices, and then try again.'],
  NOT_AUTO_SNAPSHOT: [911, 'The specified volume is not an auto-snapshot and hence cannot be locked'],
  SNAP_POLICY_LEVELS_OUT_OF_RANGE: [
    913,
    'The total number of snapshots for the policy exceeds the allowed maximum',
  ],
  SNAP_POLICY_NAME_ALREADY_EXISTS: [914, 'Snapshot policy name already exists'],
  SNAP_POLICY_NOT_FOUND: [915, 'The snapshot policy was not found'],
  SOURCE_VOL_ALREADY_IN_SNAP_POLICY: [916, 'The source volume is already associated with a Snapshot Policy'],
  SOURCE_VOL_CANT_BE_AUTO_SNAPSHOT: [
    917,
    "The specified volume is an auto snapshot and can't be used as a source volume",
  ],
  TWO_SNAP_POLICY_SRC_VOLS_OF_SAME_VTREE: [
    920,
    'A single VTree cannot contain more than one Snapshot Policy source-volume',
  ],
  SNAP_POLICY_HAS_SOURCE_VOLUMES: [
    921,
    'The operation cannot be completed because the Snapshot Policy has source volumes associated with it',
  ],
  SOURCE_VOL_NOT_IN_SNAP_POLICY: [922, 'The source volume is not associated with the Snapshot Policy'],
  AUTO_SNAP_ALREADY_LOCKED: [925, 'The auto-snapshot is already locked'],
  AUTO_SNAP_NOT_LOCKED: [926, 'The auto-snapshot is not locked'],
  AUTO_SNAP_IS_MAPPED: [929, 'The auto-snapshot cannot be unlocked while it is mapped'],
  VOL_IS_UNLOCKED_AUTO_SNAPSHOT: [
    931,
    'The volume is an auto-snapshot and must be locked in order to perform this operation',
  ],
  LOCKED_AUTO_SNAPSHOTS_EXIST: [
    932,
    'The source volume has locked auto-snapshots that cannot be removed. Please unlock them, or use the option detach locked auto snapshots',
  ],
  VOL_IS_SNAP_POLICY_SOURCE_VOL: [933, 'Volume is a source-volume of a Snapshot Policy'],
  SCG_WITH_AUTO_SNAPSHOTS_CANNOT_BE_REMOVED: [
    934,
    'The snapshot consistency group cannot be removed because it contains auto snapshots',
  ],
  SNAP_POLICY_CADENCE_OUT_OF_RANGE: [935, 'The cadence value is out of range'],
  SNAP_POLICY_LEVEL_ONE_MEANINGLESS: [
    936,
    "The number of snapshots to retain at any level can't be one when additional levels are defined",
  ],
  DEST_VOL_IS_LOCKED_AUTO_SNAPSHOT: [
    1027,
    'The destination volume is a locked auto snapshot. Please acknowledge this explicitly by specifying the overwrite locked auto snapshot parameter',
  ],
  VOL_ALREADY_MAPPED_TO_HOST: [4037, 'The volume is already mapped to this host'],
  VOL_NOT_MAPPED_TO_HOST: [4039, 'The volume is not mapped to this host'],
} as const satisfies Record<string, readonly [number, string]>;

export type FailureName = keyof typeof FAILURES;

/** Refusal by the MDM: HTTP 500 with its own number. */
export function refusal(name: FailureName): ArrayError {
  const [code, text] = FAILURES[name];
  return new ArrayError(text, { status: 500, code });
}

/** Refusal of a bulk command on account of one object: the number travels in the details [gsio types.go, cinder]. */
export function bulkRefusal(name: FailureName): ArrayError {
  const [rc, errorMessage] = FAILURES[name];
  return new ArrayError('Error with details', {
    status: 500,
    code: 0,
    details: [{ error: name, rc, errorMessage }],
  });
}

/** Refusal by the gateway's own check of the request: HTTP 400, number 0. */
export function invalidRequest(message: string): ArrayError {
  return new ArrayError(message, { status: 400, code: 0 });
}
