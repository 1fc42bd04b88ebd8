/** Branded, so that a name that nobody has validated is not taken for one. */
declare const brand: unique symbol;

/** A volume's name as its users write it, already validated. */
export type VolumeName = string & { readonly [brand]: 'volume name' };

export const FILESYSTEMS = ['ext4', 'xfs', 'btrfs'] as const;
export type FilesystemType = (typeof FILESYSTEMS)[number];

/** What may be done about a volume that another host holds (docs/architecture.md, failover), the strictest first. */
export const FAILOVER_POLICIES = ['never', 'disconnected', 'idle', 'always'] as const;
export type FailoverPolicy = (typeof FAILOVER_POLICIES)[number];

/** What can be said of one volume: a policy, or that each host goes by its own. */
export const POLICY_CHOICES = [...FAILOVER_POLICIES, 'default'] as const;
export type PolicyChoice = (typeof POLICY_CHOICES)[number];

/** A name that was validated when it was written into a file of ours. */
export const asVolumeName = (text: string): VolumeName => text as VolumeName;
