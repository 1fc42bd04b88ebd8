import type { Refusal } from '../../errors.ts';

/** What a refusal means to us: what a caller can go by, or how the call goes on. */
export type Meaning =
  | Exclude<Refusal, 'call-unknown' | 'other'>
  /** It will be refused again until somebody changes something. */
  | 'rejected'
  /** The pool or a limit of the array is full. */
  | 'capacity'
  /** User, password or role. */
  | 'auth'
  /** Our token is no longer good. */
  | 'session'
  /** Not done now; the same request may succeed soon. */
  | 'busy'
  /** The gateway lost its MDM on the way: it may or may not have been done. */
  | 'doubtful';

const GROW_POOL = 'add capacity to the storage pool, remove volumes, or use another pool';
const CHECK_POOL = 'check the options pool and domain';
const ASK_ROLE =
  'check SCALEIO_USERNAME, SCALEIO_PASSWORD and that the user has the role FrontendConfig or higher';
const CHECK_SDC = "check that this host's SDC is known to the array and approved";
const UNMAP_ALL = 'unmap the volume from all SDCs first';

/** Number, the MDM's own name (composite errors carry it), text, meaning, advice. */
export type ErrorEntry = readonly [number | null, string | null, string, Meaning, string?];

/**
 * Every refusal of the MDM that a volume plugin can meet. Texts are matched before numbers, since several numbers
 * between 227 and 362 are known from no source ([goscaleio] table of VxFlex OS 3.0; numbers from [cinder],
 * [os-brick], [siolib], [lxd], [flocker]).
 */
export const ERROR_ENTRIES: readonly ErrorEntry[] = [
  [3, 'NOT_FOUND', 'Not found', 'volume-unknown'],
  [68, 'TIMEOUT', 'A timeout occurred', 'doubtful'],
  [69, 'COMMUNICATION_ERROR', 'Communication error', 'doubtful'],
  [79, 'VOL_NOT_FOUND', 'Could not find the volume', 'volume-unknown'],
  [80, 'INI_NOT_FOUND', 'Could not find the SDC', 'host-unknown', CHECK_SDC],
  [81, 'VOL_ALREADY_MAPPED_TO_THIS_INI', 'The volume is already mapped to this SDC', 'rejected'],
  [82, 'VOL_ALREADY_MAPPED_TO_ALL_INIS', 'The volume is already mapped to all SDCs', 'rejected', UNMAP_ALL],
  [
    83,
    'VOL_ALREADY_MAPPED_TO_SCSI',
    'The volume is already mapped to SCSI Initiator',
    'rejected',
    'unmap it from its SCSI initiators first',
  ],
  [84, 'VOL_NOT_MAPPED_TO_INI', 'The volume is not mapped to SDC', 'rejected'],
  [85, 'VOL_NOT_MAPPED_TO_SCSI', 'The volume has no SCSI reservations', 'rejected'],
  [86, 'VOL_MAPPED_TO_ALL_INIS', 'The volume is mapped to all SDCs', 'rejected', UNMAP_ALL],
  [87, 'TOO_MANY_MAPPINGS', 'There are too many mappings', 'capacity', 'remove mappings that are not needed'],
  [88, 'INVALID_VOL_ID', 'Invalid volume ID. Please try again with a valid ID', 'volume-unknown'],
  [90, 'INVALID_INI_ID', 'Invalid SDC ID. Please try again with a valid ID', 'host-unknown', CHECK_SDC],
  [91, 'HOST_NOT_FOUND', 'Could not find the host', 'host-unknown', CHECK_SDC],
  [
    96,
    'TOO_MANY_VOLS_IN_SP',
    'You have exceeded the maximum number of volumes allowed in a Storage Pool',
    'capacity',
    'remove volumes or use another pool',
  ],
  [
    97,
    'TOO_MANY_VOLS',
    'There are too many volumes',
    'capacity',
    'remove volumes or snapshots that are not needed',
  ],
  [99, 'VOL_NAME_IN_USE', 'Volume name already in use. Please use a different name', 'name-in-use'],
  [
    101,
    'DUPLICATE_SDC_IP',
    'More than one SDC exists for the same IP address. Use name or ID instead, or remove the duplicate SDC',
    'rejected',
    'remove the duplicate SDC',
  ],
  [104, 'VOL_MAPPED', 'Volume is mapped', 'still-attached', 'unmap it from the SDCs that have it first'],
  [
    132,
    'CAPACITY_LICENSE_EXCEEDED',
    'The operation could not be completed. The license capacity has been exceeded',
    'capacity',
    'extend the licence or remove volumes',
  ],
  [
    133,
    'VOL_DECREASE_NOT_SUPPORTED',
    'Volume capacity can only be increased',
    'rejected',
    'ask for a size that is not below the present one',
  ],
  [142, 'FD_NOT_FOUND', 'Could not find Protection Domain', 'rejected', CHECK_POOL],
  [
    144,
    'NOT_ENOUGH_TGTS_IN_STORAGE_POOL',
    'Less than three devices from different SDSs are defined in this Storage Pool. Add devices to the Storage Pool from additional SDSs',
    'rejected',
    'add devices from at least three SDSs to the pool, or use another pool',
  ],
  [145, 'REMOVE_IN_PROGRESS', 'Removal of the object is in progress. Please wait', 'busy'],
  [159, 'LICENSE_TIME_EXCEEDED', 'The license has expired', 'rejected', "renew the array's licence"],
  [164, 'VOL_ALLOC_ERROR_BUSY', 'The system is busy. Retry later', 'busy'],
  [
    165,
    'CAPACITY_HIGHLY_UNBALANCED',
    'System capacity is unbalanced',
    'capacity',
    'balance the capacity of the SDSs or fault sets of the pool',
  ],
  [
    166,
    'VOL_CREATE_FAIL',
    'Could not create the volume',
    'rejected',
    "look at the array's events for the reason",
  ],
  [167, 'INVALID_PASSWORD', 'Invalid password. Please try again', 'auth', ASK_ROLE],
  [
    168,
    'NO_PERMISSIONS',
    'You do not have permission to perform this operation. Please contact your system administrator for assistance',
    'auth',
    ASK_ROLE,
  ],
  [171, 'STORAGE_POOL_NOT_FOUND', 'Could not find Storage Pool', 'rejected', CHECK_POOL],
  [
    174,
    'INVALID_STORAGE_POOL_ID',
    'The Storage Pool ID is not valid. Please use a valid ID',
    'rejected',
    CHECK_POOL,
  ],
  [180, 'INI_HAS_MAPPINGS', 'SDC has mapped volume(s)', 'rejected'],
  [
    181,
    'TOO_MANY_VOLS_IN_VTREE',
    'There are too many volumes in the VTree',
    'capacity',
    'remove snapshots of this volume that are not needed',
  ],
  [
    182,
    'TOO_MANY_SNAPS_IN_VTREE',
    'There are too many snapshots in the VTree',
    'capacity',
    'remove snapshots of this volume that are not needed',
  ],
  [183, 'NOTHING_TO_DO', 'There are no volumes to delete', 'rejected'],
  [190, 'VOL_SIZE_TOO_LARGE', 'The volume size too large', 'rejected', 'ask for a smaller size'],
  [
    191,
    'CAPACITY_TOO_LOW_FOR_SNAP',
    'The capacity of the Storage Pool is too small to create new snapshots',
    'capacity',
    GROW_POOL,
  ],
  [
    197,
    'FD_AND_SP_MISMATCH',
    'The specified Storage Pool is not in the specified Protection Domain',
    'rejected',
    CHECK_POOL,
  ],
  [
    198,
    'VTREE_ID_MISMATCH',
    'To overwrite the content of a volume, the source and target volumes must be from the same V-Tree',
    'rejected',
  ],
  [212, 'VOL_REMOVE_IN_PROGRESS', 'A volume removal operation is currently in progress', 'busy'],
  [
    213,
    'FD_NOT_ACTIVE',
    'The Protection Domain is not active',
    'rejected',
    'activate the protection domain, or use another',
  ],
  [
    225,
    'VOL_SIZE_ILLEGAL',
    'The specified volume size is illegal. Volume size must be in 8 GB blocks',
    'rejected',
    'ask for a multiple of 8 GiB',
  ],
  [
    226,
    'LONG_NAME',
    'The given name exceeds the allowed length of 31 characters',
    'rejected',
    'use a shorter name',
  ],
  [
    null,
    'INVALID_NAME',
    'The given name contains invalid characters. Use alphanumeric and punctuation characters only. Spaces are not allowed',
    'rejected',
    'use letters, digits and punctuation only',
  ],
  [
    null,
    'INVALID_FD_ID',
    'Invalid Protection Domain ID. Please try again with the correct ID',
    'rejected',
    CHECK_POOL,
  ],
  [null, 'INVALID_VTREE_ID', 'Invalid VTree ID. Please try again with the correct ID', 'rejected'],
  [
    null,
    'PERMISSION_DENIED',
    'Permission denied. Please check that you are using the correct user name, password and authentication method, and that you have permission to perform this action',
    'auth',
    ASK_ROLE,
  ],
  [null, 'INVALID_SESSION', 'Invalid session. Please login and try again', 'session'],
  [
    null,
    'EXCEED_SYSTEM_CAPACITY_LIMITATIONS',
    'The request exceeds system limitations',
    'capacity',
    'ask for a smaller size, or remove volumes',
  ],
  [
    null,
    'INI_MAPPED_TO_TOO_MANY_VOLS',
    'The SDC is mapped to too many volumes. Please remove some mapping',
    'capacity',
    'unmap volumes of this SDC that are not needed',
  ],
  // [codes; siolib]
  [138, 'TGT_ALREADY_ADDING_DEV', 'A device is being added to this SDS', 'disk-taken'],
  [206, 'DEV_NAME_ALREADY_EXISTS', 'A device with the given name already exists in the SDS', 'disk-taken'],
  [
    306,
    'NOT_ALLOWED_MORE_THAN_ONE_MAPPING',
    'Only a single SDC may be mapped to this volume at a time',
    'held-by-another',
    'unmap it from the SDC that holds it, or allow failover',
  ],
  [
    306,
    'NOT_ALLOWED_MORE_THAN_ONE_MAPPING',
    'This volume is already mapped and may not be mapped to additional SDCs',
    'held-by-another',
    'unmap it from the SDC that holds it, or allow failover',
  ],
  // Says only that some SDC has it, so the mapping is looked at before it is believed to be another's.
  [
    null,
    'VOL_ALREADY_MAPPED_TO_AN_INI',
    'The volume is already mapped to a SDC',
    'rejected',
    'unmap it from the SDC that holds it, or allow failover',
  ],
  [
    null,
    'TOO_MUCH_THIN_CAPACITY',
    'Requested volume size exceeds the volume allocation limit',
    'capacity',
    GROW_POOL,
  ],
  [
    null,
    'THICK_VOL_RESERVATION_VIOLATION',
    'Allocating Thin volume violates Thick volume reservation',
    'capacity',
    GROW_POOL,
  ],
  [
    null,
    'CAPACITY_TOO_LOW_FOR_THIN_VOL',
    'Storage Pool reached critical capacity utilization. Unable to create new thin volumes',
    'capacity',
    GROW_POOL,
  ],
  [
    null,
    'INITIATOR_NOT_APPROVED',
    'The SDC is not approved',
    'host-not-approved',
    "approve this host's SDC at the array (approveSdc)",
  ],
  [
    null,
    'INVALID_GUID',
    'The given GUID is invalid. Please specify GUID in the following format: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
    'rejected',
    'check SCALEIO_GUID',
  ],
  [null, 'INI_NAME_IN_USE', 'SDC name is already in use. Please use a different name', 'rejected'],
  [null, null, 'The SDC is already approved', 'rejected'],
  [
    null,
    null,
    'The current SDC IP must be in the set of IPs',
    'rejected',
    'let the set hold the address that the SDC reports from',
  ],
  [null, null, 'The total capacity of volumes per Storage Pool was exceeded', 'capacity', GROW_POOL],
  [
    null,
    null,
    'The total capacity of volumes per system was exceeded',
    'capacity',
    'remove volumes that are not needed',
  ],
  [
    null,
    null,
    'There are too many volumes in the consistency group',
    'capacity',
    'snapshot fewer volumes at once',
  ],
  [null, null, 'There are too many SDCs in the system', 'capacity', 'remove SDCs that are not needed'],
  [null, null, 'The volume map operation timed out', 'doubtful'],
  [
    null,
    null,
    'Approve the SDC or remove its mappings',
    'host-not-approved',
    "approve this host's SDC at the array (approveSdc)",
  ],
  [
    null,
    null,
    'Approve the IP addresses for the SDC or remove its mappings',
    'host-not-approved',
    "approve this host's SDC at the array (approveSdc)",
  ],
  [
    null,
    null,
    "This volume is managed externally. If you still want to run this command, use the 'allow_on_externally_managed_volumes' flag",
    'rejected',
    'leave it to the system that manages it',
  ],
  [null, null, 'The auto-snapshot is already locked', 'rejected'],
  [null, null, 'The specified volume is not an auto-snapshot and hence cannot be locked', 'rejected'],
  [
    null,
    null,
    'Thick volumes cannot be added to fine granularity Storage Pools',
    'rejected',
    'use provisioning=thin, or another pool',
  ],
  [
    null,
    null,
    'Compression may only be enabled on volumes with Fine Granularity layout',
    'rejected',
    'use provisioning=thin, or another pool',
  ],
  [
    null,
    null,
    'There is a VTree migration in progress in this Storage Pool. Cancel migrations or wait for them to finish and try again',
    'rejected',
    'wait for the migration to finish',
  ],
];
