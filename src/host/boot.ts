import { readFile } from 'node:fs/promises';
import { hasCode } from './files.ts';

/**
 * What is the same as long as this host has not been started anew: the kernel's boot id, and the start time of the host's
 * first process, because a host that is itself a container (LXC, nspawn) boots without its kernel. Needs to see the host's
 * own processes, as the managed plugin does with pidhost; where process 1 is this process or is hidden, the boot id
 * alone. Throws the node:fs error when there is no boot id.
 */
export async function readBootId(ownPid: number, proc = '/proc'): Promise<string> {
  const kernel = (await readFile(`${proc}/sys/kernel/random/boot_id`, 'utf8')).trim();
  const start = ownPid === 1 ? undefined : await startOfFirstProcess(proc);
  return start === undefined ? kernel : `${kernel}/${start}`;
}

/** Clock ticks since the kernel's boot: field 22 [proc(5)], counted behind the name, which may hold anything. */
async function startOfFirstProcess(proc: string): Promise<string | undefined> {
  try {
    const stat = await readFile(`${proc}/1/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
