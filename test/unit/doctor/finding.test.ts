import { describe, expect, it } from 'vitest';
import { causing, failed, problem, toldOnce } from '../../../src/doctor/finding.ts';
import { AttachError, type AttachProblem } from '../../../src/errors.ts';

const met = (check: string, kind: AttachProblem) =>
  failed(check, new AttachError(kind, { remedy: 'mend it', problem: kind }));

const told = (kind: AttachProblem): string[] =>
  toldOnce([
    causing('sdc', problem('SDC of this host', 'not let in', 'let it in')),
    met('volumes of this host', kind),
  ]).map(({ says }) => says);

describe('what the checks say', () => {
  it.each(['not-installed', 'not-loaded', 'not-connected', 'not-known', 'not-approved'] as const)(
    'tells what follows from an SDC that does not work (%s) with the cause',
    (kind) => {
      expect(told(kind)).toEqual(['not let in; not looked at because of it: volumes of this host']);
    },
  );

  it.each(['not-alone', 'guid-mismatch', 'device-missing', 'device-mismatch'] as const)(
    'tells what is wrong by itself (%s) beside it',
    (kind) => {
      expect(told(kind)).toEqual(['not let in', kind]);
    },
  );

  it('lets no problem of one SDC stand for a device that is not what it must be', () => {
    const says = toldOnce([met('MDM addresses', 'not-connected'), met('volumes', 'device-mismatch')]);
    expect(says.map((one) => one.says)).toEqual(['not-connected', 'device-mismatch']);
  });
});
