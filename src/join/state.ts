import {
  ConfigError,
  GatewayAuthError,
  GatewayRejectedError,
  isPluginError,
  AttachError,
  type AttachProblem,
} from '../errors.ts';

/**
 * How far this host has come. Each is left by itself as soon as its reason is gone: looking: nothing known yet;
 * sdc-…: on this host; gateway-away, login-refused, wrong-array: on the way to the gateway; mdm-missing: the SDC does
 * not know the array's MDMs; not-known, not-approved, not-connected: what the array says of the SDC.
 */
export type JoinStep =
  | 'looking'
  | 'sdc-missing'
  | 'sdc-stopped'
  | 'sdc-failing'
  | 'gateway-away'
  | 'login-refused'
  | 'wrong-array'
  | 'mdm-missing'
  | 'not-known'
  | 'not-approved'
  | 'not-connected'
  | 'joined';

export interface JoinState {
  readonly step: JoinStep;
  /** Why it is so, in one line for the operator. */
  readonly reason: string;
  /** What the operator can do; '' where nothing needs to be done. */
  readonly remedy: string;
}

const SDC_STEPS: Partial<Record<AttachProblem, JoinStep>> = {
  'not-installed': 'sdc-missing',
  'not-loaded': 'sdc-stopped',
};

/** What a failure of looking means for the join. Rethrows what is a bug of ours. */
export function stateOfFailure(error: unknown): JoinState {
  if (!isPluginError(error)) throw error;
  const { reason, remedy } = error;
  return { step: stepOf(error), reason, remedy };
}

function stepOf(error: Error): JoinStep {
  if (error instanceof AttachError) return SDC_STEPS[error.problem] ?? 'sdc-failing';
  if (error instanceof GatewayAuthError || error instanceof GatewayRejectedError) return 'login-refused';
  return error instanceof ConfigError ? 'wrong-array' : 'gateway-away';
}
