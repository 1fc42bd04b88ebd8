import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/steward/policy-file.ts';
import { ConfigError } from '../../../../src/errors.ts';

const GOOD = `
version: 1
act: true
interval: 30s
webhooks:
  - url: https://alerts.example.com/hook
    secretFile: /run/secrets/alerts
pools:
  - pool: sp1
    domain: pd1
    grow:
      above: 85
      maxDevices: 12
      maxCapacity: 64TiB
      devices:
        - sds: sds1
          path: /dev/disk/by-id/wwn-0x5000c500a1b2c3d4
`;

function problemsOf(text: string): string {
  try {
    parsePolicy(text, 'steward.yml');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the policy was taken');
}

test('a policy is read with its units, and what it leaves out has a default', () => {
  const policy = parsePolicy(GOOD, 'steward.yml');
  expect(policy).toMatchObject({ act: true, interval: 30_000, remindEvery: 6 * 3_600_000 });
  expect(policy.pools[0]).toMatchObject({
    warn: 80,
    critical: 90,
    hysteresis: 2,
    grow: { cooldown: 600_000, confirm: 2, maxCapacity: 64 * 1024 ** 3 },
  });
  expect(policy.webhooks[0]).toMatchObject({ timeout: 10_000, attempts: 5 });
});

test('acting is off unless the policy says so', () => {
  expect(parsePolicy('{"version":1,"pools":[{"pool":"sp1"}]}', 'p.json').act).toBe(false);
});

test('cleaning up is off unless there is a section for it, which has a default for everything', () => {
  const hour = 3_600_000;
  expect(parsePolicy('{"version":1,"pools":[{"pool":"sp1"}]}', 'p.json').cleanup).toBeUndefined();
  expect(parsePolicy('{"version":1,"pools":[{"pool":"sp1"}],"cleanup":{}}', 'p.json').cleanup).toEqual({
    every: 600_000,
    provisionalOlderThan: 24 * hour,
    seenFor: hour,
    confirm: 3,
    ofUnknownHosts: false,
    deadSdcMappings: false,
    sdcGoneFor: 24 * hour,
    retryFailedAfter: hour,
  });
});

test.each([
  ['{ provisionalOlderThan: 59m }', 'cleanup.provisionalOlderThan: "59m" is shorter than'],
  ['{ seenFor: 9m }', 'cleanup.seenFor: "9m" is shorter than'],
  ['{ sdcGoneFor: 1s }', 'cleanup.sdcGoneFor: "1s" is shorter than'],
  ['{ confirm: 1 }', 'cleanup.confirm: '],
  ['{ ofUnknownHosts: perhaps }', 'cleanup.ofUnknownHosts: must be true or false'],
  ['{ seenfor: 2h }', 'cleanup: unknown key "seenfor"; did you mean seenFor?'],
  ['true', 'cleanup: '],
])('clean-up that is set too boldly or not right is refused: %s', (cleanup, problem) => {
  expect(problemsOf(`{ version: 1, pools: [{ pool: sp1 }], cleanup: ${cleanup} }`)).toContain(problem);
});

test('everything wrong is listed at once, with its place', () => {
  const said = problemsOf(`
version: 2
act: maybe
pools:
  - pool: sp1
    warn: 95
    grow: { above: 101, maxDevices: 0, devices: [{ sds: a, path: /dev/sdb }] }
`);
  expect(said).toContain('version: must be 1');
  expect(said).toContain('act: must be true or false');
  expect(said).toContain('pools[0].grow.above');
  expect(said).toContain('pools[0].grow.devices[0].path: is not a stable path');
});

describe('unknown keys are errors that name the nearest', () => {
  test.each([
    ['version: 1\nacts: true\npools: [{pool: a}]', 'unknown key "acts"; did you mean act?'],
    ['version: 1\npools: [{pool: a, critcal: 3}]', 'pools[0]: unknown key "critcal"; did you mean critical?'],
    [
      'version: 1\npools: [{pool: a, grow: {above: 3, maxDevices: 3, coolDowns: 3m, devices: []}}]',
      'pools[0].grow: unknown key "coolDowns"; did you mean cooldown?',
    ],
    ['version: 1\npools: [{pool: a}]\nxyzzy: 1', 'unknown key "xyzzy"; there are version, act'],
  ])('%s', (text, said) => {
    expect(problemsOf(text)).toContain(said);
  });
});

test.each([
  ['no YAML', 'pools: [', 'steward.yml'],
  ['a key twice', 'version: 1\nversion: 1\npools: [{pool: a}]', 'unique'],
  ['warn above critical', 'version: 1\npools: [{pool: a, warn: 95}]', 'is above critical'],
  [
    'nothing to grow with',
    'version: 1\npools: [{pool: a, grow: {above: 3, maxDevices: 3}}]',
    'neither devices nor',
  ],
  ['empty', '', 'steward.yml'],
])('%s is refused', (_, text, said) => {
  expect(problemsOf(text)).toContain(said);
});
