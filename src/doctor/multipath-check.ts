import { ok, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

const NAME = 'multipath';

/** What multipath is on this host. */
export interface MultipathFacts {
  readonly runs: boolean;
  /** Its configuration, the main file and those beside it, as they are; empty where there is none that can be read. */
  readonly configuration: readonly string[];
}

/** Whether multipathd may claim the SDC's devices, which then can be neither formatted nor mounted. */
export function multipathCheck(readFacts: () => Promise<MultipathFacts>): Check {
  return { name: NAME, run: async () => [judgeMultipath(await readFacts())] };
}

/** One line: that it does not run, leaves the SDC's devices alone, or may claim them. */
export function judgeMultipath({ runs, configuration }: MultipathFacts): Finding {
  if (!runs) return ok(NAME, 'multipathd does not run');
  if (configuration.some(blacklistsSdc)) return ok(NAME, "multipathd leaves the SDC's devices alone");
  return warning(
    NAME,
    "multipathd runs and its configuration does not keep it from the SDC's devices (scini…)",
    'put blacklist { devnode "^scini" } into /etc/multipath.conf and run multipathd reconfigure',
  );
}

/** multipath.conf(5): sections in braces, a word and a quoted regular expression a line, comments after # or !. */
function blacklistsSdc(text: string): boolean {
  const plain = text.replaceAll(/^\s*[#!].*$/gm, '');
  const sections = [...plain.matchAll(/\b(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g)];
  return sections
    .filter(([, name]) => name === 'blacklist')
    .flatMap(([, , body = '']) => [...body.matchAll(/\bdevnode\s+"([^"]*)"/g)])
    .some(([, pattern = '']) => matchesSdc(pattern));
}

function matchesSdc(pattern: string): boolean {
  const isNegated = pattern.startsWith('!');
  try {
    return new RegExp(isNegated ? pattern.slice(1) : pattern).test('scinia') !== isNegated;
  } catch (error) {
    // A POSIX pattern that JavaScript does not know is not one that anybody writes for these names.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
