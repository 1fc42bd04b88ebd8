import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { buildProgram } from '../../src/cli/command-line.ts';
import { VERSION } from '../../src/cli/version.ts';
import { bundleProgram } from '../bundle.ts';
import { type Architecture, machineArchitecture } from '../debian.ts';
import { nodeBinary } from '../node-binary.ts';
import { makeDeb } from './deb.ts';
import { installedFiles, layOut, type Generated } from './layout.ts';
import { listOfParts } from './list-of-parts.ts';
import { manPage } from './man-page.ts';
import { makeRpm } from './rpm.ts';

const project = path.resolve(import.meta.dirname, '../..');

interface Wanted {
  readonly arch: Architecture;
  readonly into: string;
  readonly compression: 'xz' | 'none';
  /** Which OpenPGP key signs the checksums, in gpg's words; undefined: none. */
  readonly key?: string | undefined;
}

/**
 * Makes the Debian package and the rpm of the host service, their list of parts (CycloneDX), and
 * SHA256SUMS of all three, signed if there is a key. Answers their paths. Needs dpkg-deb and rpmbuild.
 */
export async function makePackages({ arch, into, compression, key }: Wanted): Promise<readonly string[]> {
  await mkdir(into, { recursive: true });
  const timestamp = await timeOfSources();
  const root = await mkdtemp(path.join(tmpdir(), 'package-'));
  const built = await mkdtemp(path.join(tmpdir(), 'bundle-'));
  try {
    const node = await nodeBinary(arch, path.join(project, '.cache'));
    const program = path.join(built, 'docker-volume-scaleio.cjs');
    const inputs = await bundleProgram(program);
    await layOut(root, installedFiles({ node, program }, await generated(program, timestamp)));
    const facts = { version: VERSION, arch, root, into, timestamp, compression };
    // One after the other: the Debian package's own files come into the same directory.
    const packages = [await makeDeb(facts), await makeRpm(facts)];
    const parts = path.join(into, `docker-volume-scaleio_${VERSION}.cdx.json`);
    await writeFile(parts, await listOfParts(inputs, VERSION));
    const sums = await checksums([...packages, parts], path.join(into, 'SHA256SUMS'));
    if (key === undefined) return [...packages, parts, sums];
    const sign = ['--batch', '--yes', '--local-user', key, '--armor', '--detach-sign', sums];
    await execa('gpg', sign);
    return [...packages, parts, sums, `${sums}.asc`];
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(built, { recursive: true, force: true });
  }
}

async function generated(program: string, timestamp: number): Promise<Generated> {
  const completion = async (shell: string): Promise<string> =>
    (await execa(process.execPath, [program, 'completion', shell])).stdout + '\n';
  const [bash, zsh, fish] = await Promise.all(['bash', 'zsh', 'fish'].map(completion));
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10);
  const nobody = { write: () => undefined };
  const io = { argv: [], env: {}, pid: 0, stdout: nobody, stderr: nobody, onSignal: () => undefined };
  return {
    completions: { bash: bash ?? '', zsh: zsh ?? '', fish: fish ?? '' },
    manPage: manPage(await buildProgram(io), { version: VERSION, date }),
  };
}

/** s since 1970: of the last commit, or where there is none, now. */
async function timeOfSources(): Promise<number> {
  const { stdout, exitCode } = await execa('git', ['log', '-1', '--format=%ct'], {
    cwd: project,
    reject: false,
  });
  return exitCode === 0 && stdout !== '' ? Number(stdout) : Math.floor(Date.now() / 1000);
}

async function checksums(files: readonly string[], into: string): Promise<string> {
  const lines = files.map(async (file) => {
    const sum = createHash('sha256').update(await readFile(file));
    return `${sum.digest('hex')}  ${path.basename(file)}\n`;
  });
  await writeFile(into, (await Promise.all(lines)).join(''));
  return into;
}

if (import.meta.main) {
  const [arch = await machineArchitecture()] = process.argv.slice(2);
  if (arch !== 'amd64' && arch !== 'arm64') throw new Error('ARCH is amd64 or arm64');
  const into = path.join(project, 'dist/packages');
  await rm(into, { recursive: true, force: true });
  const key = process.env['SIGNING_KEY'];
  const wanted = { arch, into, compression: 'xz', key: key === '' ? undefined : key } as const;
  for (const file of await makePackages(wanted)) process.stdout.write(`${path.relative(project, file)}\n`);
}
