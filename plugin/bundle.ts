import { copyFile, readdir, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { C_SOURCES } from 'scaleio-simulator/sdc-programs';
import { BORROWED_FILES } from '../src/steward/page/borrowed-files.ts';

const project = path.resolve(import.meta.dirname, '..');

/** Where `npm run bundle` puts the one file that is the whole program. */
export const bundleFile = path.join(project, 'dist/docker-volume-scaleio.cjs');

/**
 * Bundles a program into one CommonJS file for the pinned Node. One file halves the start against thousands; names
 * are kept, because that starts no slower than shortened ones and leaves stack traces that can be read. Answers the files that went into it,
 * relative to the working directory.
 */
export async function bundle(
  entry: string,
  outfile: string,
  define: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  // Under another name first: test files that run side by side build it again while others copy or start it.
  const unfinished = `${outfile}.${process.pid}.new`;
  const { metafile } = await build({
    entryPoints: [entry],
    metafile: true,
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: false,
    legalComments: 'none',
    logLevel: 'warning',
    // Modules that ask for their own address get the bundle's, which CommonJS has under another name.
    define: {
      ...define,
      'import.meta.url': 'bundleUrl',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
    banner: { js: "const bundleUrl=require('node:url').pathToFileURL(__filename).href;" },
  });
  await rename(unfinished, outfile);
  return Object.keys(metafile.inputs);
}

/** The bundle of the whole program, with the sources that simulate-sdc compiles on its host beside it. */
export async function bundleProgram(file: string = bundleFile): Promise<readonly string[]> {
  const inputs = await bundle(path.join(project, 'src/main.ts'), file, {
    bundledPage: await pageOfTheSteward(),
  });
  for (const source of C_SOURCES) {
    await replaceFile(source, path.join(path.dirname(file), path.basename(source)));
  }
  return inputs;
}

async function replaceFile(source: string, target: string): Promise<void> {
  const unfinished = `${target}.${process.pid}.new`;
  await copyFile(source, unfinished);
  await rename(unfinished, target);
}

/** JSON of the page's files by name, which src/steward/page/page-files.ts serves; they are served as they stand in the sources and packages. */
async function pageOfTheSteward(): Promise<string> {
  const directory = path.join(project, 'src/steward/page/browser');
  const names = (await readdir(directory)).filter((name) => /\.(html|css|js|svg)$/.test(name));
  const files = names.map(
    async (name) => [name, await readFile(path.join(directory, name), 'utf8')] as const,
  );
  const borrowed = [...BORROWED_FILES].map(
    async ([name, file]) =>
      [name, await readFile(createRequire(import.meta.url).resolve(file), 'utf8')] as const,
  );
  return JSON.stringify(Object.fromEntries(await Promise.all([...files, ...borrowed])));
}

if (import.meta.main) await bundleProgram();
