import { InvalidRequestError } from '../../errors.ts';
import { nearest } from '../../units/nearest.ts';
import { quote } from '../../units/quote.ts';
import { MKFS_FLAGS, MOUNT_KEYS, type FlagRule, type KeyRules } from './allowed-options.ts';
import type { FilesystemType } from '../volume.ts';

const LONGEST_TEXT = 512;

/** Mount options that say what is so anyway. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['defaults', 'rw']);

/** What to do instead of some options that people try. */
const INSTEAD: Readonly<Record<string, string>> = {
  ro: 'use the option readonly, or mount read-only in the container',
  uid: 'use the option uid',
  gid: 'use the option gid',
  umask: 'use the option mode',
  nobarrier: 'it loses data when a host fails',
  noload: 'it shows half-written data',
  norecovery: 'it shows half-written data',
  subvol: 'use the option subpath',
};

/**
 * Arguments for mkfs from what the user wrote, "-m 1 -O ^has_journal" or "-K -d su=64k,sw=4": flags with their values,
 * each on the allow-list of the file system (rule 12), so safe to pass on as they are. Throws InvalidRequestError that
 * names the first that is not, and what is allowed, in words that follow the name of what was given.
 */
export function parseMkfsOptions(fs: FilesystemType, text: string): string[] {
  const words = wordsOf(text, /\s+/);
  const args: string[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const flag = word.slice(0, 2);
    const rule = ruleOf(MKFS_FLAGS[fs], flag) ?? refuseFlag(fs, word);
    if (seen.has(flag)) throw new InvalidRequestError(`"${flag}" is given twice; give it once`);
    seen.add(flag);
    args.push(flag);
    if (rule.kind === 'nothing') {
      if (word !== flag) refuseFlag(fs, word);
      continue;
    }
    const attached = word.slice(2);
    if (attached === '') index += 1;
    const value = attached === '' ? words[index] : attached;
    if (value === undefined) throw new InvalidRequestError(`"${flag}" needs a value for ${fs}`);
    assertValue(rule, value, `mkfs option "${flag}" of ${fs}`);
    args.push(value);
  }
  return args;
}

/**
 * Options for mount -o from what the user wrote, "noatime,commit=30" (or with spaces), each on the allow-list of the
 * file system (rule 12). Also reads options that come back from a volume's label, which another host wrote. Throws
 * InvalidRequestError that names the first that is not allowed, in words that follow the name of what was given.
 */
export function parseMountOptions(fs: FilesystemType, text: string): string[] {
  const options = new Map<string, string>();
  for (const word of wordsOf(text, /[\s,]+/)) {
    if (WITHOUT_EFFECT.has(word)) continue;
    const key = keyOf(word);
    assertKey(MOUNT_KEYS[fs], word, `mount option of ${fs}`);
    if ((options.get(key) ?? word) !== word) {
      throw new InvalidRequestError(`"${key}" is given twice with different values; give it once`);
    }
    options.set(key, word);
  }
  return [...options.values()];
}

function wordsOf(text: string, separator: RegExp): string[] {
  if (text.length > LONGEST_TEXT) {
    throw new InvalidRequestError(
      `${quote(text, 24)} is ${text.length} characters long; ${LONGEST_TEXT} are allowed`,
    );
  }
  return text.split(separator).filter((word) => word !== '');
}

function assertValue(rule: Exclude<FlagRule, { kind: 'nothing' }>, value: string, what: string): void {
  if (rule.kind === 'value') {
    if (rule.value.test(value)) return;
    throw new InvalidRequestError(`${quote(value)} is not allowed as value of ${what} (docs/options.md)`);
  }
  for (const item of value.split(',')) {
    if (rule.kind === 'keys') assertKey(rule.keys, item, what);
    else assertFeature(rule.names, item, what);
  }
}

function assertKey(rules: KeyRules, item: string, what: string): void {
  const key = keyOf(item);
  const rule = ruleOf(rules, key);
  if (rule === undefined) throw refused(item, key, what, Object.keys(rules));
  const isAllowed = item === key ? rule.alone : rule.value?.test(item.slice(key.length + 1)) === true;
  if (isAllowed) return;
  const why = item === key ? 'needs a value' : 'has a value that is not allowed';
  throw new InvalidRequestError(`${quote(item)}, ${what}, ${why} (docs/options.md)`);
}

function assertFeature(names: readonly string[], item: string, what: string): void {
  const name = item.startsWith('^') ? item.slice(1) : item;
  if (!names.includes(name)) throw refused(item, name, what, names);
}

function refused(item: string, key: string, what: string, known: readonly string[]): InvalidRequestError {
  const near = nearest(key, known);
  const hint =
    ruleOf(INSTEAD, key) ?? (near === undefined ? 'docs/options.md lists them' : `did you mean "${near}"?`);
  return new InvalidRequestError(`${quote(item)} is not an allowed ${what}; ${hint}`);
}

function refuseFlag(fs: FilesystemType, word: string): never {
  const allowed = Object.keys(MKFS_FLAGS[fs]).join(' ');
  throw new InvalidRequestError(
    `${quote(word)} is not an allowed mkfs option of ${fs}; allowed are ${allowed}`,
  );
}

function keyOf(item: string): string {
  const equals = item.indexOf('=');
  return equals < 0 ? item : item.slice(0, equals);
}

function ruleOf<T>(rules: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}
