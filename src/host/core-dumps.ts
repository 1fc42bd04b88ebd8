import { writeFileSync } from 'node:fs';

/** Which memory of this process goes into a core dump, core(5); children inherit it. */
const FILTER = '/proc/self/coredump_filter';

/**
 * From now on a core dump of this process, or of a program that it starts, holds none of its memory, where its secrets are, whoever
 * takes the dump: a limit of 0 does not stop one that is piped to a program. To be called before a secret is read. Answers why that
 * cannot be had; undefined when it could.
 */
export function keepMemoryOutOfCoreDumps(): string | undefined {
  try {
    writeFileSync(FILTER, '0');
    return undefined;
  } catch (error) {
    return `core dumps of this program may hold secrets: "${FILTER}" cannot be written (${String(error)})`;
  }
}
