import { readFile } from 'node:fs/promises';
import path from 'node:path';

const project = path.resolve(import.meta.dirname, '..');

/** Licences that let an Apache-2.0 program ship what bears them. */
const accepted = new Set([
  ...[
    'MIT',
    'ISC',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'BlueOak-1.0.0',
    'CC0-1.0',
    'Unlicense',
  ],
]);

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
}

/** Says for each shipped npm package (development tools are not shipped) what is wrong with its licence. */
async function problems(): Promise<string[]> {
  const lock = JSON.parse(await readFile(path.join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const shipped = Object.entries(lock.packages).filter(([place, one]) => place !== '' && one.dev !== true);
  const checked = shipped.map(async ([place, one]) => {
    const licence = one.license ?? (await ownLicence(place));
    return isAccepted(licence) ? undefined : `${place}: licence "${licence ?? 'none'}" is not accepted`;
  });
  return (await Promise.all(checked)).filter((problem) => problem !== undefined);
}

/** The lock leaves out what a package writes in an old way; its own package.json has it. */
async function ownLicence(place: string): Promise<string | undefined> {
  const file = path.join(project, place, 'package.json');
  const { license } = JSON.parse(await readFile(file, 'utf8')) as { license?: string };
  return license;
}

/** `(MIT OR GPL-3.0)` is accepted for its MIT; `MIT AND Zlib` only if both are. */
function isAccepted(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const choices = expression.replace(/^\(|\)$/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((one) => accepted.has(one)));
}

const found = await problems();
for (const problem of found) console.error(problem);
process.exitCode = found.length === 0 ? 0 : 1;
