/** What the door of a host does for a steward: never a forced release, a failover policy, or the end of data. */
export const STEWARD_ACTIONS = [
  'takeSnapshots',
  'restore',
  'limit',
  'rename',
  'grow',
  'create',
  'lookAtRoom',
] as const;

/** Header with the id of the request in the steward's log that a call is for. */
export const ASKED_FOR = 'x-asked-for';
