import { chmod, copyFile, cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contents, packagedFiles, packageNames } from './contents.ts';
import { type Architecture, UnpackedPackages } from './debian.ts';
import { neededLibraries } from './elf.ts';
import { nodeBinary } from './node-binary.ts';

const triplets: Record<Architecture, string> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

const loaders: Record<Architecture, string> = {
  amd64: '/usr/lib64/ld-linux-x86-64.so.2',
  arm64: '/usr/lib/ld-linux-aarch64.so.1',
};

interface RootfsRequest {
  readonly arch: Architecture;
  readonly bundle: string;
  /** Downloads and unpacked packages; safe to delete. */
  readonly cache: string;
}

/**
 * Makes the plugin's root file system in `target` from Debian packages and the pinned Node, without any registry. Throws
 * when a file of the list, or a library that one of them links, is in none of the packages.
 */
export async function buildRootfs(target: string, { arch, bundle, cache }: RootfsRequest): Promise<void> {
  const packages = await UnpackedPackages.fetch(packageNames(), arch, contents.suite, path.join(cache, arch));
  await rm(target, { recursive: true, force: true });
  await makeSkeleton(target);
  const rootfs = new Rootfs(target, packages, triplets[arch]);
  for (const file of packagedFiles()) await rootfs.take(file);
  for (const name of contents.extraLibraries) await rootfs.takeLibrary(name);
  await rootfs.take(loaders[arch]);
  await rootfs.takeProgram(await nodeBinary(arch, cache), contents.node);
  await mkdir(path.dirname(path.join(target, contents.bundle)), { recursive: true });
  await copyFile(bundle, path.join(target, contents.bundle));
}

async function makeSkeleton(target: string): Promise<void> {
  const folders = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64', '/etc', ...contents.directories];
  for (const folder of folders) await mkdir(path.join(target, folder), { recursive: true });
  await chmod(path.join(target, 'tmp'), 0o1777);
  for (const [link, to] of Object.entries(contents.links)) await symlink(to, path.join(target, link));
  for (const [file, text] of Object.entries(contents.texts)) await writeFile(path.join(target, file), text);
}

/** A root file system in the making: takes files from the packages, and with each what it needs to run. */
class Rootfs {
  readonly #target: string;
  readonly #packages: UnpackedPackages;
  readonly #triplet: string;
  readonly #taken = new Set<string>();

  constructor(target: string, packages: UnpackedPackages, triplet: string) {
    this.#target = target;
    this.#packages = packages;
    this.#triplet = triplet;
  }

  /** Takes one file; a symbolic link with what it points at, a program with the libraries it links. */
  async take(file: string): Promise<void> {
    if (this.#taken.has(file)) return;
    this.#taken.add(file);
    const found = await this.#packages.find(file);
    if (found === undefined) throw new Error(`"${file}" is in none of the listed packages`);
    if (found.link === undefined) {
      await this.takeProgram(found.source, file);
      return;
    }
    const to = path.resolve(path.dirname(file), found.link).replace(/^\/(bin|sbin|lib|lib64)\//, '/usr/$1/');
    await mkdir(path.dirname(path.join(this.#target, file)), { recursive: true });
    if (to !== file) await symlink(path.relative(path.dirname(file), to), path.join(this.#target, file));
    await this.take(to);
  }

  async takeProgram(source: string, file: string): Promise<void> {
    const destination = path.join(this.#target, file);
    await mkdir(path.dirname(destination), { recursive: true });
    await cp(source, destination, { preserveTimestamps: true });
    for (const library of (await neededLibraries(source)) ?? []) await this.takeLibrary(library);
  }

  async takeLibrary(name: string): Promise<void> {
    const file = await this.#packages.findLibrary(name, this.#triplet);
    if (file === undefined) throw new Error(`library "${name}" is in none of the listed packages`);
    await this.take(file);
  }
}
