import { GatewayRejectedError, GatewayUnavailableError } from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { nothing } from '../wire/bodies.ts';
import type { Call, GatewayClient } from '../wire/client.ts';
import { cancelled, ReplyLostError } from '../wire/failures.ts';
import { retrying } from '../wire/retry.ts';
import { volumePath, type Volumes } from './volumes.ts';

export interface Change<T> {
  /** As it follows "cannot ". */
  readonly what: string;
  /** One request; it says ReplyLostError when nobody knows whether it happened. */
  readonly make: () => Promise<T>;
  /** Looks at the array: the change's result if it has happened, undefined if not. */
  readonly look: () => Promise<T | undefined>;
}

/** Looks, and says so when that, too, does not work. */
async function lookBehind<T>(change: Change<T>): Promise<T | undefined> {
  try {
    return await change.look();
  } catch (error) {
    if (!(error instanceof GatewayUnavailableError)) throw error;
    const message = `cannot ${change.what}, or see whether it happened: the answer got lost, then ${error.message}`;
    throw new GatewayUnavailableError(message, { cause: error });
  }
}

/**
 * Makes a change that must not be made twice. A lost reply is resolved by looking; only when the change is seen not to
 * have happened is it made again. After a lost reply a refusal, too, is looked behind: it may come from our own first
 * attempt (name in use, size cannot shrink).
 */
export async function changeOnce<T>(
  client: GatewayClient,
  change: Change<T>,
  signal: AbortSignal,
): Promise<T> {
  let inDoubt = false;
  const attempt = async (): Promise<T> => {
    try {
      return await change.make();
    } catch (error) {
      inDoubt ||= error instanceof ReplyLostError;
      const worthLooking = error instanceof ReplyLostError || error instanceof GatewayRejectedError;
      if (!inDoubt || !worthLooking) throw error;
      const happened = await lookBehind(change);
      if (happened !== undefined) return happened;
      throw error;
    }
  };
  try {
    return await retrying(attempt, {
      policy: client.retryPolicy,
      signal,
      allowance: (error) => (error instanceof ReplyLostError ? client.retryPolicy.whenLost : 0),
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw cancelled(change.what, signal);
    throw error;
  }
}

export interface VolumeAction {
  readonly what: string;
  readonly id: VolumeId;
  readonly action: string;
  readonly body: object;
}

/** An action on one volume as a call. */
export function actionCall({ what, id, action, body }: VolumeAction, repeatable: boolean): Call<void> {
  return {
    what,
    method: 'POST',
    path: volumePath(id, `/action/${action}`),
    route: `/api/instances/Volume::{id}/action/${action}`,
    body,
    repeatable,
    read: nothing,
  };
}

/** Makes a change whose success shows in the volume itself: `isDone` judges it, undefined being a volume that is gone. */
export async function changeVolume(
  reach: { readonly client: GatewayClient; readonly volumes: Volumes },
  action: VolumeAction,
  isDone: (volume: ArrayVolume | undefined) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const call = actionCall(action, false);
  const make = async (): Promise<true> => {
    await reach.client.call(call, signal);
    return true;
  };
  const look = async (): Promise<true | undefined> => {
    const volume = await reach.volumes.get(action.id, signal);
    return isDone(volume) ? true : undefined;
  };
  await changeOnce(reach.client, { what: action.what, make, look }, signal);
}
