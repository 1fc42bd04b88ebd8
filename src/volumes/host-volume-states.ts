/** One row of the table that docs/architecture.md shows. */
interface State {
  readonly means: string;
  /** The states that may follow; without one the entry goes. */
  readonly next: readonly Phase[];
  /** What holds of it after this host has booted: no mount outlives that. */
  readonly afterBoot: Phase;
  /** What there is when the plugin or the host dies in it. */
  readonly crashLeaves: string;
  readonly finishedBy: string;
}

export type Phase =
  'creating' | 'unmarking' | 'mounting' | 'mounted' | 'restoring' | 'releasing' | 'trashed' | 'erasing';

/** The states in the order of a volume's life. */
export const STATES: Readonly<Record<Phase, State>> = {
  creating: {
    means: 'a volume is being made under a provisional name, or what is left of that is to be removed',
    next: ['creating'],
    afterBoot: 'creating',
    crashLeaves:
      'a provisional volume or none, attached here or not, with a failover marker or without; after the renaming a complete volume under its own name',
    finishedBy:
      'the next Create, Mount or Remove of the name, else reconcile: removes what bears the provisional name, and where the request to make it had no answer looks for it until none can come any more',
  },
  unmarking: {
    means: 'the failover marker of a volume that is being removed, which goes after it',
    next: ['unmarking'],
    afterBoot: 'unmarking',
    crashLeaves: 'the marker, with its volume or without',
    finishedBy: 'reconcile: removes the marker if its volume is gone, else forgets the entry; a next Remove',
  },
  mounting: {
    means: 'attached here, or about to be, and not handed to anybody by this Mount',
    next: ['mounting', 'mounted', 'releasing'],
    afterBoot: 'releasing',
    crashLeaves: 'a volume that is attached or not, mounted or not; the request may still be carried out',
    finishedBy: 'the next Mount; else reconcile, as releasing; a Remove',
  },
  mounted: {
    means: 'mounted, and seen by the host; whoever claims it may be using it',
    next: ['mounted', 'mounting', 'releasing'],
    afterBoot: 'releasing',
    crashLeaves: 'the mount as it is, in use',
    finishedBy:
      'nobody while it is claimed and used; reconcile puts a lost mount back, and releases what nobody claims; a Remove, when the kernel says that nobody uses it',
  },
  restoring: {
    means:
      'attached here, or about to be, so that the array can give it the content of a snapshot; nobody uses it',
    next: ['restoring', 'releasing'],
    afterBoot: 'restoring',
    crashLeaves:
      'a volume that is attached or not, with its content or that of the snapshot; the request to overwrite it may still be carried out',
    finishedBy:
      'reconcile, or the next Mount, Remove or restore: lets go of it where the array was not asked to overwrite it; else asks again once no earlier request can come any more, if its attachment has stood since, or says that nobody knows what it holds',
  },
  releasing: {
    means: 'to be unmounted and detached, once the kernel lets go',
    next: ['releasing', 'mounting'],
    afterBoot: 'releasing',
    crashLeaves: 'a volume that is mounted or not, attached or not',
    finishedBy: 'reconcile, a Remove; or the next Mount, which takes it up again',
  },
  trashed: {
    means: 'removed here, or about to be: renamed out of sight, and whole',
    next: ['trashed', 'erasing'],
    afterBoot: 'trashed',
    crashLeaves:
      'a volume under its own name or under that of the trash; the request may still be carried out',
    finishedBy:
      'reconcile: erases it when its time is over, and forgets it once it bears another name; whoever has it brought back',
  },
  erasing: {
    means:
      'its time in the trash is over: renamed so that nobody brings it back, to be removed a while later',
    next: ['erasing'],
    afterBoot: 'erasing',
    crashLeaves:
      'a volume in the trash or under the name of what is being erased, or none; its failover marker',
    finishedBy: 'reconcile, as far as it still bears one of the two names and nobody has it; or the steward',
  },
};
