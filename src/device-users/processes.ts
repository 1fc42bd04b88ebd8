import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../host/files.ts';

/** Links of descriptors that lead to no file: "socket:[12]", "pipe:[3]", "anon_inode:[eventfd]" [proc(5)]. */
const NO_FILE = /^[a-z_]+:/;

/** What one process has to do with a device. */
export type ProcessUse = 'open' | 'mapped' | 'hidden' | undefined;

/** Ids of all processes that are seen here. Throws the node:fs error when there is no such folder. */
export function processIds(proc: string): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/**
 * Whether the process has the device open or mapped, by the device's number, whatever the node is called that it came by.
 * hidden: it may not be looked at, which root meets with processes that have more capabilities than itself [ptrace(2)].
 * A process that ended meanwhile uses nothing. `seen`: files that mappings of other processes were found to be, by device and inode.
 */
export function useOfDevice(
  proc: string,
  pid: number,
  device: bigint,
  seen: Map<string, boolean>,
): ProcessUse {
  try {
    if (opensDevice(path.join(proc, String(pid), 'fd'), device)) return 'open';
    return mapsDevice(path.join(proc, String(pid)), device, seen) ? 'mapped' : undefined;
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM')) return 'hidden';
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

function opensDevice(directory: string, device: bigint): boolean {
  return readdirSync(directory).some((fd) => {
    const link = path.join(directory, fd);
    return !NO_FILE.test(unlessGone(() => readlinkSync(link)) ?? 'gone:') && isDevice(link, device);
  });
}

function mapsDevice(directory: string, device: bigint, seen: Map<string, boolean>): boolean {
  let isMapped = false;
  for (const line of readFileSync(path.join(directory, 'maps'), 'utf8').split('\n')) {
    // "7f…-7f… rw-s 00000000 00:05 123   /dev/scinia": device and inode of the node, not of what the node stands for.
    const [range = '', , , on = '', inode = '0'] = line.split(/\s+/, 5);
    if (inode === '0') continue;
    const file = `${on} ${inode}`;
    const known = seen.get(file);
    const found = known ?? isDevice(path.join(directory, 'map_files', range), device);
    if (known === undefined) seen.set(file, found);
    isMapped ||= found;
  }
  return isMapped;
}

function isDevice(link: string, device: bigint): boolean {
  const facts = unlessGone(() => statSync(link, { bigint: true }));
  return facts?.isBlockDevice() === true && facts.rdev === device;
}

/** Descriptors and mappings come and go while they are looked at. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'ENXIO', 'ENODEV', 'ELOOP', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The program's name as the kernel has it, at most 15 characters; undefined for a process that ended. */
export function programOf(proc: string, pid: number): string | undefined {
  return unlessGone(() => readFileSync(path.join(proc, String(pid), 'comm'), 'utf8'))?.trim();
}

/** Id of the container that the process runs in, as its cgroup tells: Docker, Podman, containerd; 64 hex digits. */
export function containerOf(proc: string, pid: number): string | undefined {
  const cgroup = unlessGone(() => readFileSync(path.join(proc, String(pid), 'cgroup'), 'utf8'));
  return /(?:^|[/:.-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(cgroup ?? '')?.[1];
}
