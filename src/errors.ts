/** Who can do something about a failure decides its class; the message says what to do. */
export const ERROR_CODES = [
  'INVALID_REQUEST',
  'VOLUME_NOT_FOUND',
  'VOLUME_CONFLICT',
  'VOLUME_IN_USE',
  'NO_CAPACITY',
  'GATEWAY_UNAVAILABLE',
  'GATEWAY_AUTH',
  'GATEWAY_REJECTED',
  'SDC',
  'FILESYSTEM',
  'NEWER_VERSION',
  'WEBHOOK',
  'CANCELLED',
  'CONFIG',
  'PLUGIN',
  'NOT_NOW',
  'HOST_NEEDED',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts about a failure for logs: names and numbers, never secrets. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | null>>;

export interface ErrorDetails {
  /** What to do about it, as it follows "; " in the message. */
  readonly remedy?: string;
  readonly cause?: unknown;
  readonly context?: ErrorContext;
}

/**
 * Base of every failure that we expect. `message` is for the operator: what was attempted, on what, why it failed
 * and what to do. Anything thrown that is not a PluginError is a bug of ours.
 */
export abstract class PluginError extends Error {
  abstract readonly code: ErrorCode;
  /** True when the same call may succeed a moment later without anybody changing anything. */
  readonly retryable: boolean = false;
  readonly context: ErrorContext;
  /** The message without the remedy. */
  readonly reason: string;
  /** What to do about it; '' where the reason says all there is to say. */
  readonly remedy: string;

  constructor(reason: string, details: ErrorDetails = {}) {
    const { remedy = '' } = details;
    super(
      remedy === '' ? reason : `${reason}; ${remedy}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.reason = reason;
    this.remedy = remedy;
    this.context = details.context ?? {};
    this.name = new.target.name;
  }
}

/** The caller asked for something that cannot be: bad name, unknown option, wrong value. Nothing was changed. */
export class InvalidRequestError extends PluginError {
  readonly code = 'INVALID_REQUEST';
}

/** No such volume on the array, as far as this plugin may look (its name prefix). */
export class VolumeNotFoundError extends PluginError {
  readonly code = 'VOLUME_NOT_FOUND';
}

/** The volume exists with other properties than asked for. */
export class VolumeConflictError extends PluginError {
  readonly code = 'VOLUME_CONFLICT';
}

/** Somebody else has the volume: another SDC's mapping, a mount, a process. */
export class VolumeInUseError extends PluginError {
  readonly code = 'VOLUME_IN_USE';
}

/** The pool or a limit of the array is full; an operator must make room. */
export class CapacityError extends PluginError {
  readonly code = 'NO_CAPACITY';
}

/** No gateway answered usefully in time. Whether a change took effect has been looked up where that was possible. */
export class GatewayUnavailableError extends PluginError {
  readonly code = 'GATEWAY_UNAVAILABLE';
  override readonly retryable = true;
}

/** The gateway refuses our user, password, role or certificate trust. */
export class GatewayAuthError extends PluginError {
  readonly code = 'GATEWAY_AUTH';
}

/**
 * Why the array refused, by what the caller can do about it. Which numbers and words of which generation mean it, the
 * gateway alone knows. name-in-use: another volume bears the name. held-by-another: another host has the volume attached.
 * still-attached: it cannot be removed while it is. family-full: no more snapshots of this volume. other-family: content comes only from a
 * volume's own family. locked: a secured snapshot, or one that a policy keeps. policy-source: a policy takes snapshots of the volume.
 * family-has-source: one of a volume's family has a policy already. disk-taken: the disk, or a device of this name, is part of the array
 * already. call-unknown: no gateway has this call. other: only the message says it.
 */
export type Refusal =
  | 'name-in-use'
  | 'held-by-another'
  | 'still-attached'
  | 'volume-unknown'
  | 'host-unknown'
  | 'host-not-approved'
  | 'family-full'
  | 'other-family'
  | 'locked'
  | 'policy-source'
  | 'family-has-source'
  | 'disk-taken'
  | 'call-unknown'
  | 'other';

/** The array understood the request and refused it; its own number is in the context, for logs. */
export class GatewayRejectedError extends PluginError {
  readonly code = 'GATEWAY_REJECTED';
  readonly refusal: Refusal;
  override readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails & { refusal: Refusal; retryable?: boolean }) {
    super(message, details);
    this.refusal = details.refusal;
    this.retryable = details.retryable ?? false;
  }
}

/** What is wrong with this host's SDC. */
export type AttachProblem =
  | 'not-installed'
  | 'not-loaded'
  | 'not-connected'
  | 'not-known'
  | 'not-approved'
  | 'guid-mismatch'
  | 'not-alone'
  | 'device-missing'
  | 'device-mismatch'
  | 'command-failed';

/** This host's SDC cannot serve: `problem` says which of the known ways. */
export class AttachError extends PluginError {
  readonly code = 'SDC';
  readonly problem: AttachProblem;
  override readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails & { problem: AttachProblem }) {
    super(message, details);
    this.problem = details.problem;
    this.retryable = details.problem === 'not-connected' || details.problem === 'device-missing';
  }
}

/** A block device or file system is not as it must be; data was not touched. */
export class FilesystemError extends PluginError {
  readonly code = 'FILESYSTEM';
}

/** Something else on this host claims the device for itself: multipathd, mdadm, a mount. It may let go a moment later. */
export class DeviceHeldError extends FilesystemError {
  override readonly retryable = true;
}

/** The file system is frozen (fsfreeze -f): whoever writes to it sleeps until somebody thaws it. */
export class FrozenError extends FilesystemError {
  override readonly retryable = true;
}

/** Mounted here, and the host does not see it: a container would get the host's own disk. */
export class UnseenMountError extends FilesystemError {
  /**
   * The engine has taken away the directory through which this managed plugin's mounts reach the host: no mount reaches it any more, and
   * only a new start of the plugin mends that.
   */
  readonly isCutOff: boolean;

  constructor(message: string, details: ErrorDetails & { isCutOff: boolean }) {
    super(message, details);
    this.isCutOff = details.isCutOff;
  }
}

/** A newer plugin wrote what this one cannot honour (rule 19); it was left as it is. An operator brings the plugin up to date. */
export class NewerVersionError extends PluginError {
  readonly code = 'NEWER_VERSION';
}

/** Whoever should be told or asked over HTTP did not take it; whether it was read is not known. */
export class WebhookError extends PluginError {
  readonly code = 'WEBHOOK';
  override readonly retryable = true;
}

/** The call's own deadline passed, or its client went away. */
export class CancelledError extends PluginError {
  readonly code = 'CANCELLED';
  override readonly retryable = true;
}

/** The configuration is wrong; the message lists everything that is. */
export class ConfigError extends PluginError {
  readonly code = 'CONFIG';
}

/** The running plugin on this host, asked to do something, failed in a way that only its log explains, or broke off. */
export class RunningPluginError extends PluginError {
  readonly code = 'PLUGIN';
}

/** It would be wrong now, by a rule of ours; the message says what it waits for. */
export class NotNowError extends PluginError {
  readonly code = 'NOT_NOW';
  override readonly retryable = true;
}

/** It takes a host, with the volume's device in it, and none can be asked from here; the message says which. Nothing was changed. */
export class HostNeededError extends PluginError {
  readonly code = 'HOST_NEEDED';
}

/** The program was started in a way that cannot be: nothing was begun. */
export class UsageError extends ConfigError {}

/** True for failures we expect and have worded for the operator. */
export function isPluginError(value: unknown): value is PluginError {
  return value instanceof PluginError;
}
