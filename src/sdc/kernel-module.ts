import { access, readFile } from 'node:fs/promises';
import { hasCode } from '../host/files.ts';

/** Where a loaded scini module shows. */
export interface ModuleEvidence {
  /** The module's control device, /dev/scini. */
  readonly controlDevice: string;
  /** The kernel's list of modules, /proc/modules. */
  readonly modules: string;
}

/** True when either place shows the SDC's kernel module. */
export async function isModuleLoaded(evidence: ModuleEvidence): Promise<boolean> {
  if (await exists(evidence.controlDevice)) return true;
  try {
    return /^scini /m.test(await readFile(evidence.modules, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
