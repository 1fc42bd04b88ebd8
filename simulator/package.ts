import { execa } from 'execa';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/*
 * Makes dist/scaleio-simulator-VERSION.tgz. In the repository the package runs from its sources; Node takes no TypeScript from
 * node_modules, so what is packed has JavaScript and declarations in their place.
 */
const source = import.meta.dirname;
const dist = path.resolve(source, '../dist');
const made = path.join(dist, 'scaleio-simulator');

/** Fields of package.json that say nothing to its users. */
const OF_THE_SOURCES = ['private', 'scripts', 'devDependencies'];

interface Manifest {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The file that is made of one in src/, named in package.json. */
function madeOf(file: string, ending: '.js' | '.d.ts'): string {
  return file.replace(/^(\.\/)?src\//, './').replace(/\.ts$/, ending);
}

/** What a user of the package needs of package.json, with the names of what is made. */
function packedManifest(manifest: Manifest): object {
  const kept = Object.entries(manifest).filter(([field]) => !OF_THE_SOURCES.includes(field));
  const bin = Object.entries(manifest.bin).map(([name, file]) => [name, madeOf(file, '.js')]);
  const exported = Object.entries(manifest.exports).map(([name, file]) => [
    name,
    file.endsWith('.ts') ? { types: madeOf(file, '.d.ts'), default: madeOf(file, '.js') } : file,
  ]);
  return {
    ...Object.fromEntries(kept),
    bin: Object.fromEntries(bin) as object,
    exports: Object.fromEntries(exported) as object,
  };
}

/** Packs the simulator and gives the file of the package. */
export async function makePackage(): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8')) as Manifest;
  await rm(made, { recursive: true, force: true });
  await mkdir(path.join(made, 'sdc'), { recursive: true });
  const { C_SOURCES } = await import('./src/sdc/programs.ts');
  await execa('tsc', ['-p', path.join(source, 'tsconfig.package.json')], {
    preferLocal: true,
    localDir: source,
  });
  await writeFile(path.join(made, 'package.json'), JSON.stringify(packedManifest(manifest), undefined, 2));
  await copyFile(path.join(source, 'README.md'), path.join(made, 'README.md'));
  await copyFile(path.resolve(source, '../LICENSE'), path.join(made, 'LICENSE'));
  for (const file of C_SOURCES)
    await copyFile(file, path.join(made, path.relative(path.join(source, 'src'), file)));
  const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', dist], { cwd: made });
  return path.join(dist, stdout.trim());
}

if (import.meta.main) console.log(await makePackage());
