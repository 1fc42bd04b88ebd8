import path from 'node:path';
import { hasCode } from '../host/files.ts';

/** The path without symbolic links; throws the node:fs error. */
export type RealPath = (path: string) => string;

/**
 * What a directory is really called, though its end may not be there yet: a symbolic link on the way leads elsewhere all the same. Throws
 * the node:fs error, of which a parent that is no directory is one.
 */
export function realDirectory(directory: string, realPath: RealPath): string {
  try {
    return realPath(directory);
  } catch (error) {
    const parent = path.dirname(directory);
    if (!hasCode(error, 'ENOENT') || parent === directory) throw error;
    return path.join(realDirectory(parent, realPath), path.basename(directory));
  }
}
