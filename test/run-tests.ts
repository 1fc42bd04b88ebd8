import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { nothingLeaked, prepareSearch } from './secrets/check.ts';

/*
 * Runs everything that is checked, or the checks, suites and test files that its arguments name. What they print is also kept in
 * .cache/test-reports, and searched for the tests' secrets at the end.
 */
const project = path.resolve(import.meta.dirname, '..');
const reports = path.join(project, '.cache/test-reports');
const secrets = path.join(project, '.cache/test-secrets');
/** What Node has compiled: a run starts some thousand programs, most of them the same few. */
const compiled = path.join(project, '.cache/node-compiled');

interface Total {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Names of the tests and test files that failed, for the end of a long output. */
  readonly failures: readonly string[];
}

/** What of vitest's JSON report counts here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** Checks that pass or fail as one. */
const checks: readonly (readonly [name: string, argv: readonly string[]])[] = [
  ['typecheck', ['npm', 'run', '--silent', 'typecheck']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['format', ['npm', 'run', '--silent', 'format:check']],
  ['unused code', ['npm', 'run', '--silent', 'unused']],
  ['arrows', ['npm', 'run', '--silent', 'arrows']],
  ['licences', [process.execPath, 'test/licences.ts']],
  ['plugin build', [process.execPath, 'plugin/build.ts']],
];

interface Suite {
  /** Of vitest's project. */
  readonly name: string;
  /** Only these of its files, because somebody asked for them. */
  readonly files?: readonly string[];
  /** The files that everybody runs who asks for none, where all would take long; default: all. */
  readonly short?: readonly string[];
  /** Logs that its tests must have left. */
  readonly leaves?: readonly RegExp[];
  /** The first, which is long, and the checks and suites beside it keep two cores busy; what does so by itself is alone. */
  readonly turn: 'first' | 'beside' | 'alone';
}

const suites: readonly Suite[] = [
  { name: 'integration', turn: 'first', leaves: [/plugin\.log$/] },
  { name: 'unit', turn: 'beside' },
  { name: 'contract', turn: 'beside' },
  // The others are run by make test-vm.
  { name: 'vm', turn: 'beside', short: ['test/vm/host.test.ts'], leaves: [/\/console\.log$/] },
  {
    name: 'e2e',
    leaves: [/host1\/dockerd\.log$/, /host1\/plugin\.log$/, /\/simulator\.log$/],
    turn: 'alone',
  },
];

function environment(): Record<string, string> {
  const colours = process.stdout.isTTY && !process.env['NO_COLOR'] ? { FORCE_COLOR: '1' } : {};
  return {
    ...colours,
    TEST_LOGS: path.join(reports, 'logs'),
    TEST_SECRETS: secrets,
    NODE_COMPILE_CACHE: compiled,
  };
}

/** Kept in a file; printed as it comes, with its colours, or in one piece at the end when something else runs beside it. */
async function runPrinted(name: string, argv: readonly string[], isBeside: boolean): Promise<boolean> {
  const [program = '', ...args] = argv;
  const file = path.join(reports, `${name}.log`);
  const out = isBeside ? ({ file } as const) : (['inherit', { file, append: true }] as const);
  if (!isBeside) console.log(`\n== ${name}`);
  const options = {
    cwd: project,
    env: environment(),
    stdin: 'ignore',
    reject: false,
    buffer: false,
  } as const;
  const { exitCode } = await execa(program, args, { ...options, stdout: out, stderr: out });
  if (isBeside) console.log(`\n== ${name}\n${await readFile(file, 'utf8')}`);
  return exitCode === 0;
}

async function runCheck([name, argv]: (typeof checks)[number], isBeside: boolean): Promise<Total> {
  const start = performance.now();
  return one(name, await runPrinted(name, argv, isBeside), start);
}

/** Some part of everything; `isBeside`: another one runs at the same time. */
type Part = (isBeside: boolean) => Promise<Total>;

/** Three at a time, in this order: the first mostly waits, and the others leave a core idle when there is one of them alone. */
async function runBeside(parts: readonly Part[]): Promise<Total[]> {
  const totals: Total[] = [];
  const left = [...parts];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      totals.push(await next(parts.length > 1));
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  return totals;
}

/** `start`: by performance.now(). */
function one(name: string, isPassed: boolean, start: number): Total {
  const failures = isPassed ? [] : [name];
  return {
    name,
    passed: isPassed ? 1 : 0,
    failed: failures.length,
    skipped: 0,
    seconds: secondsSince(start),
    failures,
  };
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}

async function runSuite({ name, short = [], files = short }: Suite, isBeside: boolean): Promise<Total> {
  const start = performance.now();
  const report = path.join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = path.join(project, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', name, '--passWithNoTests', ...reporters, ...files];
  const succeeded = await runPrinted(name, [process.execPath, ...args], isBeside);
  const counted = count(await readReport(report), succeeded);
  return { name, seconds: secondsSince(start), ...counted };
}

async function readReport(file: string): Promise<VitestReport | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as VitestReport;
  } catch (error) {
    console.error(`no report in ${file}:`, error);
    return undefined;
  }
}

/** A run that failed without a failed test (a file that cannot be loaded, a stray rejection) counts as one failure. */
function count(report: VitestReport | undefined, succeeded: boolean): Omit<Total, 'name' | 'seconds'> {
  if (report === undefined) {
    return { passed: 0, failed: succeeded ? 0 : 1, skipped: 0, failures: succeeded ? [] : ['no report'] };
  }
  const { numPassedTests: passed, numFailedTests, numPendingTests: skipped } = report;
  const failed = succeeded ? numFailedTests : Math.max(numFailedTests, 1);
  return { passed, failed, skipped, failures: report.testResults.flatMap(failuresIn) };
}

/** A line for each test that failed, or for the file when its set-up did. */
function failuresIn(file: VitestReport['testResults'][number]): string[] {
  const where = path.relative(project, file.name);
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  const lines = failed.map((test) => `${where}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  return lines.length > 0 || file.status === 'passed' ? lines : [`${where}: ${firstLine(file.message)}`];
}

function firstLine(text = ''): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 200);
}

/** The slowest part first; what failed by name, because the end of a long output is what people look at. */
function print(totals: readonly Total[]): void {
  console.log('\n== totals');
  for (const { name, passed, failed, skipped, seconds } of totals.toSorted((a, b) => b.seconds - a.seconds)) {
    const more = skipped > 0 ? `, ${skipped} skipped` : '';
    console.log(
      `${name.padEnd(14)} ${String(seconds).padStart(5)} s  ${passed} passed, ${failed} failed${more}`,
    );
  }
  const failures = totals.flatMap(({ failures }) => failures);
  if (failures.length > 0) console.log(`\n== failed\n${failures.join('\n')}`);
  const sum = (pick: (total: Total) => number): number => totals.reduce((all, one) => all + pick(one), 0);
  console.log(`\n${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
}

async function lookForSecrets(ran: readonly Suite[]): Promise<Total> {
  console.log('\n== secrets');
  const start = performance.now();
  const printed = ran.map(({ name }) => new RegExp(`^${name}\\.log$`));
  const expected = [...printed, ...ran.flatMap(({ leaves = [] }) => leaves)];
  const isClean = await nothingLeaked({ logs: reports, secrets, expected }, console.log);
  await rm(secrets, { recursive: true });
  return one('secrets', isClean, start);
}

const wanted = process.argv.slice(2);
const names = [...checks.map(([name]) => name), ...suites.map(({ name }) => name)];
/** Of a suite, by the folder that they are in. */
const filesOf = ({ name }: Suite): string[] =>
  wanted.filter((one) => new RegExp(`^(simulator/)?test/${name}/`).test(one));
const unknown = wanted.filter(
  (one) => !names.includes(one) && !suites.some((suite) => filesOf(suite).includes(one) && existsSync(one)),
);
if (unknown.length > 0) {
  const known = `${names.join(', ')}, and files such as test/unit/units/size.test.ts`;
  console.error(`there is no check, suite or test file "${unknown.join('", "')}"; there are: ${known}`);
  process.exit(2);
}
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const chosen = suites.flatMap((suite): Suite[] => {
  if (isWanted(suite.name)) return [suite];
  const files = filesOf(suite);
  return files.length === 0 ? [] : [{ name: suite.name, turn: suite.turn, files }];
});
await prepareSearch({ logs: reports, secrets });
const totals: Total[] = [];
const partsOf = (turn: Suite['turn']): Part[] =>
  chosen.filter((suite) => suite.turn === turn).map((suite): Part => runSuite.bind(undefined, suite));
const wantedChecks = checks.filter(([name]) => isWanted(name));
const checksAsParts = wantedChecks.map((check): Part => runCheck.bind(undefined, check));
totals.push(...(await runBeside([...partsOf('first'), ...checksAsParts, ...partsOf('beside')])));
for (const part of partsOf('alone')) totals.push(await part(false));
// Of some files of a suite nobody can say what they must have left.
const whole = chosen.filter(({ files }) => files === undefined);
if (whole.length > 0 || wanted.length === 0) totals.push(await lookForSecrets(whole));
print(totals);
process.exitCode = totals.some(({ failed }) => failed > 0) ? 1 : 0;
