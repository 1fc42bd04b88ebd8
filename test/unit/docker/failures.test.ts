import { describe, expect, it } from 'vitest';

import { failureFacts, failureText, provesAbsence } from '../../../src/docker/protocol/failures.ts';
import {
  CancelledError,
  CapacityError,
  ConfigError,
  FilesystemError,
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  InvalidRequestError,
  AttachError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../../src/errors.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

describe('failureText', () => {
  it('is the message of an expected failure, on one line', () => {
    const error = new VolumeInUseError(
      'volume "db" is mapped to SDC "node-2";\n unmount it there\u2028first\u0000',
    );
    expect(failureText(error, 'r1')).toBe('volume "db" is mapped to SDC "node-2"; unmount it there first');
  });

  it('never shows what a bug says', () => {
    const password = newSecret('password');
    for (const bug of [
      new TypeError(`password ${password}`),
      password,
      undefined,
      null,
      { message: password },
    ]) {
      expect(failureText(bug, 'r1')).toBe("internal error, see the plugin's log for request r1");
    }
  });

  it('is never empty and never endless', () => {
    expect(failureText(new CapacityError(' \n'), 'r1')).toBe('failed: NO_CAPACITY');
    expect(failureText(new CapacityError('x'.repeat(5000)), 'r1')).toHaveLength(4001);
  });
});

describe('failureFacts', () => {
  it('tells the log the code, the whole message, the context and the cause', () => {
    const error = new FilesystemError('cannot mount', {
      cause: new Error('exit 32'),
      context: { volume: 'db' },
    });
    expect(failureFacts(error)).toEqual({
      code: 'FILESYSTEM',
      reason: 'cannot mount',
      context: { volume: 'db' },
      cause: 'exit 32',
    });
  });

  it('hands a bug over whole, for its stack', () => {
    const bug = new TypeError('x');
    expect(failureFacts(bug)).toEqual({ err: bug });
  });
});

describe('provesAbsence', () => {
  it.each([new VolumeNotFoundError('no volume "db"'), new InvalidRequestError('no such name')])(
    'is true of %s',
    (error) => {
      expect(provesAbsence(error)).toBe(true);
    },
  );

  it.each([
    new GatewayUnavailableError('x'),
    new GatewayAuthError('x'),
    new GatewayRejectedError('x', { refusal: 'volume-unknown' }),
    new CancelledError('x'),
    new AttachError('x', { problem: 'not-connected' }),
    new FilesystemError('x'),
    new ConfigError('x'),
    new VolumeConflictError('x'),
    new VolumeInUseError('x'),
    new CapacityError('x'),
    new Error('VOLUME_NOT_FOUND'),
    undefined,
  ])('is false of %s', (error) => {
    expect(provesAbsence(error)).toBe(false);
  });
});
