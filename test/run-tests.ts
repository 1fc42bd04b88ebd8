import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const project = path.resolve(import.meta.dirname, '..');
const reports = path.join(project, '.cache/test-reports');

interface Total {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What of vitest's JSON report counts here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
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

/** In this order: the cheap and telling ones first. */
const suites: readonly (readonly [project: string, more: readonly string[]])[] = [
  ['unit', ['--coverage', '--coverage.reportsDirectory=coverage/unit']],
  ['contract', ['--coverage', '--coverage.reportsDirectory=coverage/contract']],
  ['integration', []],
  ['e2e', []],
];

async function runCheck(name: string, [program = '', ...args]: readonly string[]): Promise<Total> {
  console.log(`\n== ${name}`);
  const { exitCode } = await execa(program, args, { cwd: project, stdio: 'inherit', reject: false });
  return exitCode === 0
    ? { name, passed: 1, failed: 0, skipped: 0 }
    : { name, passed: 0, failed: 1, skipped: 0 };
}

async function runSuite(name: string, more: readonly string[]): Promise<Total> {
  console.log(`\n== ${name}`);
  const report = path.join(reports, `${name}.json`);
  await rm(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = path.join(project, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', name, '--passWithNoTests', ...reporters, ...more];
  const { exitCode } = await execa(process.execPath, args, { cwd: project, stdio: 'inherit', reject: false });
  return total(name, await readReport(report), exitCode === 0);
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
function total(name: string, report: VitestReport | undefined, succeeded: boolean): Total {
  if (report === undefined) return { name, passed: 0, failed: succeeded ? 0 : 1, skipped: 0 };
  const { numPassedTests: passed, numFailedTests, numPendingTests: skipped } = report;
  const failed = succeeded ? numFailedTests : Math.max(numFailedTests, 1);
  return { name, passed, failed, skipped };
}

function print(totals: readonly Total[]): void {
  console.log('\n== totals');
  for (const { name, passed, failed, skipped } of totals) {
    const more = skipped > 0 ? `, ${skipped} skipped` : '';
    console.log(`${name.padEnd(14)} ${passed} passed, ${failed} failed${more}`);
  }
  const sum = (pick: (total: Total) => number): number => totals.reduce((all, one) => all + pick(one), 0);
  console.log(`\n${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
}

await mkdir(reports, { recursive: true });
const totals: Total[] = [];
for (const [name, argv] of checks) totals.push(await runCheck(name, argv));
for (const [name, more] of suites) totals.push(await runSuite(name, more));
print(totals);
process.exitCode = totals.some(({ failed }) => failed > 0) ? 1 : 0;
