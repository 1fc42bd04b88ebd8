import { InvalidRequestError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { quote } from './quote.ts';

const YES = ['true', '1', 'yes', 'on'];
const NO = ['false', '0', 'no', 'off'];

/**
 * One of the words; `aliases` are other spellings of them, in lower case. Case does not count. Throws InvalidRequestError whose message
 * follows the name of what was given.
 */
export function parseChoice<Word extends string>(
  raw: string,
  words: readonly Word[],
  aliases: Readonly<Record<string, Word>> = {},
): Word {
  const written = raw.toLowerCase();
  const alias = Object.hasOwn(aliases, written) ? aliases[written] : undefined;
  const found = words.find((word) => word === written) ?? alias;
  if (found !== undefined) return found;
  const meant = nearest(raw, words);
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  throw new InvalidRequestError(`${quote(raw)} is not one of ${words.join(', ')}${hint}`);
}

/** True or false, as people write it. Throws InvalidRequestError whose message follows the name of what was given. */
export function parseYesNo(raw: string): boolean {
  if (YES.includes(raw.toLowerCase())) return true;
  if (NO.includes(raw.toLowerCase())) return false;
  throw new InvalidRequestError(`${quote(raw)} is neither true nor false`);
}
