import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../host/files.ts';

/** Where a mount namespace has a file system of the device mounted, and a process that lives there. */
export interface NamespaceMount {
  readonly pid: number;
  readonly mountpoint: string;
}

/**
 * Mounts of the device in every mount namespace that some process lives in, each namespace looked at once. `node`: a file
 * system that names its device by path instead of by number (btrfs) is found by that. A namespace that may not be looked at has none.
 */
export function mountsOfDevice(
  proc: string,
  pids: readonly number[],
  device: { readonly number: string; readonly node: string },
): NamespaceMount[] {
  const seen = new Set<string>();
  return pids.flatMap((pid) => {
    const namespace = unlessHidden(() => readlinkSync(path.join(proc, String(pid), 'ns/mnt')));
    if (namespace === undefined || seen.has(namespace)) return [];
    const table = unlessHidden(() => readFileSync(path.join(proc, String(pid), 'mountinfo'), 'utf8'));
    if (table === undefined) return [];
    seen.add(namespace);
    return mountpointsIn(table, device).map((mountpoint) => ({ pid, mountpoint }));
  });
}

/** Fields of /proc/PID/mountinfo [proc(5)]: 3 is major:minor, 5 the mountpoint, the second after " - " the source. */
function mountpointsIn(table: string, device: { readonly number: string; readonly node: string }): string[] {
  return table.split('\n').flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , number, , mountpoint = ''] = mount.split(' ');
    const source = filesystem.split(' ')[1];
    return number === device.number || source === device.node ? [unescape(mountpoint)] : [];
  });
}

/** Space, tab, newline and backslash are written as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function unlessHidden<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL')) return undefined;
    throw error;
  }
}
