import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CAP_SYS_RESOURCE, hasCapability } from '../src/host/capabilities.ts';
import { bundleFile, bundleProgram } from './bundle.ts';
import { type Architecture, machineArchitecture } from './debian.ts';
import { manifestText } from './manifest.ts';
import { buildRootfs } from './rootfs.ts';
import { warmCompileCache } from './warm.ts';

const project = path.resolve(import.meta.dirname, '..');

/** The most a root file system may weigh. */
const LIMIT_BYTES = 200 * 1000 * 1000;

interface BuildOptions {
  readonly report?: (line: string) => void;
  readonly directory?: string;
  /** See manifest. */
  readonly growsExt4?: boolean;
}

/**
 * Builds what `docker plugin create NAME DIRECTORY` takes, and returns that directory (`dist/plugin/<arch>` unless said
 * otherwise). Needs root. Throws when the result is too big.
 */
export async function buildPlugin(arch: Architecture, options: BuildOptions = {}): Promise<string> {
  const {
    report = console.log,
    directory = path.join(project, 'dist/plugin', arch),
    growsExt4 = true,
  } = options;
  const unfinished = `${directory}.${process.pid}.unfinished`;
  try {
    const bytes = await fill(unfinished, arch, { growsExt4 });
    await rm(directory, { recursive: true, force: true });
    await rename(unfinished, directory);
    report(`${path.relative(project, directory)}: ${Math.round(bytes / 1e6)} MB for ${arch}`);
    return directory;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Returns the bytes of its root file system. */
async function fill(
  directory: string,
  arch: Architecture,
  asks: Parameters<typeof manifestText>[0],
): Promise<number> {
  const rootfs = path.join(directory, 'rootfs');
  await bundleProgram();
  await buildRootfs(rootfs, { arch, bundle: bundleFile, cache: path.join(project, '.cache/plugin') });
  if (arch === (await machineArchitecture())) await warmCompileCache(rootfs);
  await writeFile(path.join(directory, 'config.json'), manifestText(asks));
  const bytes = await bytesBelow(rootfs);
  if (bytes > LIMIT_BYTES)
    throw new Error(`the root file system has ${bytes} bytes, more than ${LIMIT_BYTES}`);
  return bytes;
}

/** Bytes of all regular files below a directory. */
export async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(path.join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

if (import.meta.main) {
  const forced = '--with-ext4-growth';
  const wanted = process.argv.slice(2).filter((word) => word !== forced);
  // An engine of a machine that withholds the capability starts no plugin that asks for it.
  const growsExt4 = process.argv.includes(forced) || (await hasCapability(CAP_SYS_RESOURCE));
  if (!growsExt4)
    console.log(
      `this machine withholds CAP_SYS_RESOURCE, so the plugin does not ask for it, and a mounted ext4 will not grow (${forced}: ask all the same)`,
    );
  const unknown = wanted.find((one) => one !== 'amd64' && one !== 'arm64');
  if (unknown !== undefined) throw new Error(`"${unknown}" is not amd64 or arm64`);
  const architectures = wanted.length > 0 ? (wanted as Architecture[]) : [await machineArchitecture()];
  for (const arch of architectures) await buildPlugin(arch, { growsExt4 });
}
