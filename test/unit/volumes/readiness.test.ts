import { describe, expect, test } from 'vitest';
import {
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  AttachError,
  VolumeInUseError,
} from '../../../src/errors.ts';
import { explained } from '../../../src/volumes/readiness.ts';

function readiness(problem: string | undefined) {
  let doubts = 0;
  return { problem: () => problem, doubt: () => (doubts += 1), doubts: () => doubts };
}

const failing = (cause: unknown, state: ReturnType<typeof readiness>): Promise<unknown> =>
  explained(state, () => Promise.reject(cause as Error)).catch((error: unknown) => error);

describe('a call that fails on a host that has not joined', () => {
  test.each([
    new AttachError('no', { problem: 'not-known' }),
    new GatewayAuthError('no'),
    new GatewayUnavailableError('no'),
    new GatewayRejectedError('no: "The SDC is not approved"', { refusal: 'host-not-approved' }),
  ])('says how far the host is, and stays what it is: $code', async (cause) => {
    const state = readiness('this host is "not-approved": approve it');
    const error = await failing(cause, state);
    expect(error).toMatchObject({
      code: cause.code,
      message: `${cause.message}; this host is "not-approved": approve it`,
      retryable: cause.retryable,
      cause,
    });
    expect(error).toBeInstanceOf(cause.constructor);
    expect(state.doubts()).toBe(1);
  });

  test('keeps what the error knows besides', async () => {
    const refused = new GatewayRejectedError('SDC', { refusal: 'host-unknown', retryable: true });
    expect(await failing(refused, readiness('x'))).toMatchObject({
      refusal: 'host-unknown',
      retryable: true,
    });
    const sdc = new AttachError('SDC', { problem: 'not-connected', context: { guid: 'G' } });
    expect(await failing(sdc, readiness('x'))).toMatchObject({
      problem: 'not-connected',
      context: { guid: 'G' },
    });
  });
});

test('on a host that is well the error is the same, but somebody looks', async () => {
  const cause = new AttachError('no', { problem: 'not-known' });
  const state = readiness(undefined);
  expect(await failing(cause, state)).toBe(cause);
  expect(state.doubts()).toBe(1);
});

test.each([
  new VolumeInUseError('held'),
  new GatewayRejectedError('name in use', { refusal: 'name-in-use' }),
  new TypeError('bug'),
])('what has nothing to do with the host raises no doubt: $message', async (cause) => {
  const state = readiness('x');
  expect(await failing(cause, state)).toBe(cause);
  expect(state.doubts()).toBe(0);
});
