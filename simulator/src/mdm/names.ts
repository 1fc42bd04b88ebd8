import { refusal } from './failures.ts';

const MAX_LENGTH = 31;

/**
 * An object's name as given, null when absent or empty. Throws 226 for more than 31 characters and 227 for anything
 * but visible ASCII: "alphanumeric and punctuation, no spaces" [codes].
 */
export function checkedName(name: string | undefined): string | null {
  if (name === undefined || name === '') return null;
  if (name.length > MAX_LENGTH) throw refusal('LONG_NAME');
  if (!/^[\x21-\x7e]+$/.test(name)) throw refusal('INVALID_NAME');
  return name;
}
