import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Debian's names of the processors that the plugin is built for. */
export type Architecture = 'amd64' | 'arm64';

/** Debian packages of one architecture, unpacked side by side into one directory. */
export class UnpackedPackages {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Downloads the packages with apt and unpacks them below `cache`; what is there from the last time with the same
   * list is used again. They come from the sources of the machine's own apt, whose
   * release must be `suite`; those of another architecture, too.
   */
  static async fetch(
    names: readonly string[],
    arch: Architecture,
    suite: string,
    cache: string,
  ): Promise<UnpackedPackages> {
    const directory = path.join(cache, 'packages');
    const stamp = path.join(cache, 'packages.list');
    const wanted = names.join('\n');
    if (!existsSync(stamp) || (await readFile(stamp, 'utf8')) !== wanted) {
      await rm(cache, { recursive: true, force: true });
      await download(names, arch, suite, cache);
      await unpack(path.join(cache, 'debs'), directory);
      await writeFile(stamp, wanted);
    }
    return new UnpackedPackages(directory);
  }

  /** Where a file with this path on a merged-/usr Debian is, and whether it is a symbolic link, and to what. */
  async find(file: string): Promise<{ source: string; link: string | undefined } | undefined> {
    for (const candidate of [file, file.replace(/^\/usr/, '')]) {
      const source = path.join(this.#directory, candidate);
      const seen = await lstat(source).catch(absent);
      if (seen === undefined) continue;
      return { source, link: seen.isSymbolicLink() ? await readlink(source) : undefined };
    }
    return undefined;
  }

  /** Path, as on a merged-/usr Debian, of the library with this name. */
  async findLibrary(name: string, triplet: string): Promise<string | undefined> {
    const folders = [`/usr/lib/${triplet}`, '/usr/lib', '/usr/lib64'];
    for (const folder of folders) {
      if ((await this.find(`${folder}/${name}`)) !== undefined) return `${folder}/${name}`;
    }
    return undefined;
  }
}

async function download(
  names: readonly string[],
  arch: Architecture,
  suite: string,
  cache: string,
): Promise<void> {
  const debs = path.join(cache, 'debs');
  await mkdir(debs, { recursive: true });
  const foreign = arch === (await machineArchitecture()) ? [] : await foreignSources(arch, suite, cache);
  const asRoot = ['-o', 'APT::Sandbox::User=root'];
  if (foreign.length > 0) await execa('apt-get', [...foreign, ...asRoot, '-qq', 'update']);
  await execa('apt-get', [...foreign, ...asRoot, '-qq', 'download', ...names], { cwd: debs });
}

/** apt options that look at another architecture's packages without telling the machine's own apt about it. */
async function foreignSources(arch: Architecture, suite: string, cache: string): Promise<string[]> {
  const apt = path.join(cache, 'apt');
  await mkdir(path.join(apt, 'lists/partial'), { recursive: true });
  await mkdir(path.join(apt, 'archives/partial'), { recursive: true });
  await writeFile(path.join(apt, 'sources.list'), await sourcesOf(suite));
  await writeFile(path.join(apt, 'status'), '');
  const settings = {
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'Dir::State': apt,
    'Dir::State::lists': path.join(apt, 'lists'),
    'Dir::State::status': path.join(apt, 'status'),
    'Dir::Cache': apt,
    'Dir::Etc::sourcelist': path.join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** One source for apt of each that the machine has of this release of Debian, in the format of sources.list. Throws when it has none. */
async function sourcesOf(suite: string): Promise<string> {
  const format = '$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(SIGNED_BY)';
  const { stdout } = await execa('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const lines = new Set(
    stdout.split('\n').flatMap((line) => {
      const [uri = '', codename = '', component = '', signedBy = ''] = line.split('|');
      // What is not said is printed as its own name.
      const signed = signedBy.startsWith('/') ? `[signed-by=${signedBy}] ` : '';
      const isOfRelease = codename === suite || codename.startsWith(`${suite}-`);
      return isOfRelease ? [`deb ${signed}${uri} ${codename} ${component}`] : [];
    }),
  );
  if (lines.size > 0) return [...lines, ''].join('\n');
  throw new Error(
    `apt of this machine has no source for Debian's "${suite}", from which the plugin's programs come`,
  );
}

async function unpack(debs: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const deb of await readdir(debs)) {
    await execa('dpkg-deb', ['--extract', path.join(debs, deb), directory]);
  }
}

/** The processor of the machine that builds. */
export async function machineArchitecture(): Promise<Architecture> {
  const { stdout } = await execa('dpkg', ['--print-architecture']);
  if (stdout !== 'amd64' && stdout !== 'arm64') throw new Error(`no plugin is built for "${stdout}"`);
  return stdout;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
