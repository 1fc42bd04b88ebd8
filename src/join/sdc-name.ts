import { createHash } from 'node:crypto';

/** The array takes no longer names. */
const LONGEST = 31;
const HASH_LENGTH = 6;

/** Stands for the host's own name, without its domain, in a template for SDC names. */
export const HOST_NAME = '{host}';

/**
 * The SDC's name by the template: characters that the array does not take become '-', and a name that is too long ends
 * in '~' and a hash of the whole, so that hosts with the same beginning keep names of their own.
 */
export function sdcNameFor(template: string, hostName: string): string {
  const [short = hostName] = hostName.split('.');
  const name = template.replaceAll(HOST_NAME, short).replaceAll(/[^\x21-\x7e]/g, '-');
  return name.length <= LONGEST ? name : marked(name, name);
}

/** Another name for an SDC whose name is taken, from its GUID; the same each time. */
export function sdcNameBeside(name: string, guid: string): string {
  return marked(name, guid);
}

function marked(name: string, distinction: string): string {
  const hash = createHash('sha256').update(distinction).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, LONGEST - HASH_LENGTH - 1)}~${hash}`;
}
