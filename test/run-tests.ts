import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa, type Options } from 'execa';
import { nothingLeaked, prepareSearch } from './secrets/check.ts';

/*
 * Runs everything that is checked, or the checks, suites and test files that its arguments name. What they print is also kept in
 * .cache/test-reports, and searched for the tests' secrets at the end.
 */
const project = path.resolve(import.meta.dirname, '..');
const reports = path.join(project, '.cache/test-reports');
const secrets = path.join(project, '.cache/test-secrets');

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
  /** Of vitest. */
  readonly name: string;
  /** Only these of its files, because somebody asked for them. */
  readonly files?: readonly string[];
  /** The files that everybody runs who asks for none, where all would take long; default: all. */
  readonly short?: readonly string[];
  /** Logs that its tests must have left. */
  readonly leaves?: readonly RegExp[];
}

/** In this order: the cheap and telling ones first. */
const suites: readonly Suite[] = [
  { name: 'unit' },
  { name: 'contract' },
  { name: 'integration', leaves: [/plugin\.log$/] },
  { name: 'e2e', leaves: [/host1\/dockerd\.log$/, /host1\/plugin\.log$/, /\/simulator\.log$/] },
  // The others are run by make test-vm.
  { name: 'vm', short: ['test/vm/host.test.ts'], leaves: [/\/console\.log$/] },
];

/** Both outputs to the terminal and into a file; what is coloured there stays so although it is no terminal any more. */
function printedAndKept(name: string): Options {
  const kept = ['inherit', { file: path.join(reports, `${name}.log`), append: true }] as const;
  return {
    cwd: project,
    env: environment(),
    stdin: 'inherit',
    stdout: kept,
    stderr: kept,
    buffer: false,
    reject: false,
  };
}

function environment(): Record<string, string> {
  const colours = process.stdout.isTTY && !process.env['NO_COLOR'] ? { FORCE_COLOR: '1' } : {};
  return { ...colours, TEST_LOGS: path.join(reports, 'logs'), TEST_SECRETS: secrets };
}

/** What it prints comes in one piece when it has ended, because another check runs beside it. */
async function runCheck(name: string, [program = '', ...args]: readonly string[]): Promise<Total> {
  const start = performance.now();
  const file = path.join(reports, `${name}.log`);
  const options = {
    cwd: project,
    env: environment(),
    stdin: 'ignore',
    reject: false,
    stdout: { file },
    stderr: { file },
  } as const;
  const { exitCode } = await execa(program, args, { ...options, buffer: false });
  console.log(`\n== ${name}\n${await readFile(file, 'utf8')}`);
  return one(name, exitCode === 0, start);
}

/** Two at a time; their totals in the order of the list. */
async function runChecks(chosen: typeof checks): Promise<Total[]> {
  const done = new Map<string, Total>();
  const left = [...chosen];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, argv] = next;
      done.set(name, await runCheck(name, argv));
    }
  };
  await Promise.all([lane(), lane()]);
  return chosen.flatMap(([name]) => done.get(name) ?? []);
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

async function runSuite({ name, short = [], files = short }: Suite): Promise<Total> {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const report = path.join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = path.join(project, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', name, '--passWithNoTests', ...reporters, ...files];
  const { exitCode } = await execa(process.execPath, args, printedAndKept(name));
  const counted = count(await readReport(report), exitCode === 0);
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
  return files.length === 0 ? [] : [{ name: suite.name, files }];
});
await prepareSearch({ logs: reports, secrets });
const totals: Total[] = [];
totals.push(...(await runChecks(checks.filter(([name]) => isWanted(name)))));
for (const suite of chosen) totals.push(await runSuite(suite));
// Of some files of a suite nobody can say what they must have left.
const whole = chosen.filter(({ files }) => files === undefined);
if (whole.length > 0 || wanted.length === 0) totals.push(await lookForSecrets(whole));
print(totals);
process.exitCode = totals.some(({ failed }) => failed > 0) ? 1 : 0;
