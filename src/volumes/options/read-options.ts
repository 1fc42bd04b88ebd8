import { InvalidRequestError } from '../../errors.ts';
import { FILESYSTEMS, type FilesystemType } from '../volume.ts';
import type { AnyOption } from './option.ts';
import {
  BUILT_IN_DEFAULTS,
  OPTION_ENTRIES,
  OPTIONS,
  type OptionField,
  type OptionValues,
  valuesOf,
} from './option-table.ts';

/**
 * A value of each option: of its text where it has one, else the default. Adds to the faults what cannot be read; what it answers is for nobody
 * then. `isCopy`: what is not given is its origin's, which is not known here, so the file system may be any.
 */
export function readOptions(
  texts: ReadonlyMap<OptionField, string>,
  { defaults, isCopy }: { readonly defaults: OptionValues; readonly isCopy: boolean },
  faults: string[],
): OptionValues {
  const given = readGiven(texts, isCopy ? everyFilesystem(defaults.fs) : [defaults.fs], faults);
  const isDefaultFs = (given.get('fs') ?? defaults.fs) === defaults.fs;
  return valuesOf(({ isForFilesystem }, field) => {
    if (given.has(field)) return given.get(field);
    // Defaults are for the file system among them; another may not know them.
    return isForFilesystem === true && !isDefaultFs ? BUILT_IN_DEFAULTS[field] : defaults[field];
  });
}

/** With the default first, by which what is wrong is told. */
function everyFilesystem(first: FilesystemType): FilesystemType[] {
  return [first, ...FILESYSTEMS.filter((fs) => fs !== first)];
}

/**
 * What is for a file system is not judged by one that is itself a fault; where none is asked for it is read for the first of `possible` that
 * takes it.
 */
function readGiven(
  texts: ReadonlyMap<OptionField, string>,
  possible: readonly FilesystemType[],
  faults: string[],
): ReadonlyMap<OptionField, unknown> {
  const [usual = BUILT_IN_DEFAULTS.fs] = possible;
  const fsText = texts.get('fs');
  const fs = fsText === undefined ? undefined : unlessRefused(() => OPTIONS.fs.read(fsText, usual)).value;
  const values = new Map<OptionField, unknown>();
  for (const [field, option] of OPTION_ENTRIES) {
    const text = texts.get(field);
    const isOfFs = option.isForFilesystem === true;
    if (text === undefined || (isOfFs && fsText !== undefined && fs === undefined)) continue;
    const { value, why } = readFor(option, text, isOfFs && fs === undefined ? possible : [fs ?? usual]);
    if (why === undefined) values.set(field, value);
    else faults.push(`${option.name} ${why}`);
  }
  return values;
}

/** As the first of the file systems takes it; else why the very first does not. */
function readFor(
  option: AnyOption,
  text: string,
  possible: readonly FilesystemType[],
): { readonly value?: unknown; readonly why?: string } {
  const readings = possible.map((fs) => unlessRefused(() => option.read(text, fs)));
  return readings.find(({ why }) => why === undefined) ?? readings[0] ?? {};
}

/** What was read, or why it is refused. */
function unlessRefused<T>(read: () => T): { readonly value?: T; readonly why?: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    return { why: error.message };
  }
}
