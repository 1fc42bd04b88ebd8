/** Branded, so that a name that nobody has validated is not taken for one. */
declare const brand: unique symbol;

/** A volume's name as its users write it, already validated. */
export type VolumeName = string & { readonly [brand]: 'volume name' };

export type FilesystemType = 'ext4' | 'xfs' | 'btrfs';
/** What may be done about a volume that another host holds (docs/architecture.md, failover). */
export type FailoverPolicy = 'never' | 'disconnected' | 'idle' | 'always';

/** A name that was validated when it was written into a file of ours. */
export const asVolumeName = (text: string): VolumeName => text as VolumeName;
