import { describe, expect, test } from 'vitest';
import type { PoolCapacity, PoolReading } from '../../../src/array/pool.ts';
import { judgePins } from '../../../src/doctor/engine-check.ts';
import { exitStatusOf, ok, problem, warning } from '../../../src/doctor/finding.ts';
import { judgeCertificate, judgeClock, type SeenCertificate } from '../../../src/doctor/gateway-check.ts';
import { judgeFill, judgeHealth } from '../../../src/doctor/pool-check.ts';
import { reportJson, reportText } from '../../../src/doctor/report.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY = 86_400_000;
const verified = { insecure: false, hasCaFile: true };

function certificate(more: Partial<SeenCertificate> = {}, days = 365) {
  const shown = {
    validUntilMs: NOW + days * DAY,
    issuer: 'CN=Own',
    selfSigned: false,
    distrust: undefined,
    ...more,
  };
  return { certificate: shown, clockMs: NOW, ownClockMs: NOW };
}

const NO_TRASH = { volumes: 0, sizeKiB: 0 };

describe('a certificate', () => {
  test.each([
    ['trusted for long', certificate(), verified, 'ok', 'valid until 2027-01-01'],
    ['30 days left', certificate({}, 30), verified, 'ok', '2026-01-31'],
    ['29 days left', certificate({}, 29.9), verified, 'warning', 'expires in 29 days'],
    ['expired', certificate({}, -2), verified, 'problem', 'expired 2 days ago'],
    ['expired and not verified', certificate({}, -2), { ...verified, insecure: true }, 'problem', 'expired'],
    [
      'not verified',
      certificate({ distrust: 'X' }),
      { ...verified, insecure: true },
      'warning',
      'SCALEIO_INSECURE',
    ],
    [
      'of another authority',
      certificate({ distrust: 'X' }),
      verified,
      'problem',
      'signed by "CN=Own", which is not an authority of SCALEIO_CA_FILE',
    ],
    [
      'self-signed',
      certificate({ distrust: 'X', selfSigned: true }),
      { insecure: false, hasCaFile: false },
      'problem',
      'self-signed',
    ],
    ['none', { ...certificate(), certificate: undefined }, verified, 'warning', 'the password can be read'],
  ] as const)('%s', (...[, seen, options, severity, says]) => {
    const finding = judgeCertificate('https://gw', seen, options);
    expect([finding.severity, finding.says]).toEqual([severity, expect.stringContaining(says)]);
    expect(finding.fix === undefined).toBe(severity === 'ok');
  });
});

test.each([
  [59_000, 'ok'],
  [61_000, 'warning'],
  [-61_000, 'warning'],
  [undefined, 'ok'],
])('clocks %s ms apart: %s', (apart, severity) => {
  const clockMs = apart === undefined ? undefined : NOW + apart;
  expect(judgeClock('gw', { certificate: undefined, clockMs, ownClockMs: NOW }).severity).toBe(severity);
});

describe('a pool', () => {
  const pool = (capacity: Partial<PoolCapacity>) =>
    ({
      name: 'sp1',
      capacity: { limitKiB: 1100, spareKiB: 100, usedKiB: 0, failedKiB: 0, degradedKiB: 0, ...capacity },
    }) as PoolReading;

  test.each([
    [790, 'ok'],
    [800, 'warning'],
    [940, 'warning'],
    [950, 'problem'],
    [1000, 'problem'],
  ])('used %i of 1000 without the spare: %s', (usedKiB, severity) => {
    expect(judgeFill(pool({ usedKiB }), NO_TRASH).severity).toBe(severity);
  });

  test('a pool without room is full', () => {
    expect(judgeFill(pool({ limitKiB: 0, spareKiB: 0 }), NO_TRASH).severity).toBe('problem');
  });

  test('what the trash holds is said where fullness is', () => {
    const { severity, says, fix } = judgeFill(pool({ usedKiB: 960 }), {
      volumes: 3,
      sizeKiB: 48 * 1_048_576,
    });
    expect(severity).toBe('problem');
    expect(says).toMatch(/ % full, and the trash holds 3 removed volumes of 48 GiB in all of it$/);
    expect(fix).toContain('volume trash');
    expect(judgeFill(pool({ usedKiB: 960 }), NO_TRASH).says).toMatch(/ % full$/);
  });

  test.each([
    [{}, 'ok'],
    [{ degradedKiB: 1 }, 'warning'],
    [{ degradedKiB: 1, failedKiB: 1 }, 'problem'],
  ])('%j: %s', (capacity, severity) => {
    expect(judgeHealth(pool(capacity)).severity).toBe(severity);
  });
});

describe('containers and the plugin they had their volumes from', () => {
  const container = (name: string, driver: string, running = true) => ({
    name,
    running,
    mounts: [{ volume: 'db', driver }],
  });
  const facts = (...containers: ReturnType<typeof container>[]) => ({
    version: '20.10.24',
    plugins: [{ id: 'a'.repeat(64), name: 'scaleio:latest', enabled: true }],
    containers,
  });

  test.each<[string, ReturnType<typeof container>, readonly string[] | undefined]>([
    ['mounted by the plugin', container('c', 'scaleio:latest'), ['db']],
    ['not running', container('c', 'scaleio:latest', false), []],
    ['with a journal that cannot be read', container('c', 'scaleio:latest'), undefined],
    ['of another kind of driver', container('c', 'local'), []],
  ])('fine: %s', (_, one, mounted) => {
    expect(judgePins(facts(one), 'scaleio', mounted)).toEqual([]);
  });

  test('a volume that the plugin of now has not mounted is named with its container', () => {
    expect(judgePins(facts(container('ill', 'scaleio:latest')), 'scaleio', ['other'])).toMatchObject([
      {
        severity: 'problem',
        says: expect.stringMatching(/"ill".*"db"/) as string,
        fix: 'docker restart ill',
      },
    ]);
  });

  test('a volume of a plugin that is not installed is named with it', () => {
    expect(judgePins(facts(container('c', 'old:latest', false)), 'scaleio', [])).toMatchObject([
      {
        severity: 'problem',
        says: expect.stringContaining('"old:latest", which is not installed') as string,
      },
    ]);
  });
});

describe('the report', () => {
  const findings = [
    ok('a', 'fine'),
    warning('longer', 'not for ever', 'mend it'),
    problem('c', 'broken', 'replace it'),
  ];

  test.each([
    [[], 0],
    [findings.slice(0, 1), 0],
    [findings.slice(0, 2), 10],
    [findings, 20],
    [findings.toReversed(), 20],
  ])('exit status by the worst', (some, status) => {
    expect(exitStatusOf(some)).toBe(status);
  });

  test('says what to do under what is not well, and counts', () => {
    expect(reportText(findings)).toBe(
      [
        'ok       a       fine',
        'warning  longer  not for ever',
        '                 -> mend it',
        'problem  c       broken',
        '                 -> replace it',
        '1 problem, 1 warning, 1 ok',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(reportJson(findings))).toMatchObject({
      severity: 'problem',
      findings: [{ check: 'a' }, {}, {}],
    });
  });
});
