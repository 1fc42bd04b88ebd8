import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { FILESYSTEMS, type FilesystemType, type VolumeName } from '../volume.ts';
import { faultOfGrowth } from './growth-options.ts';
import { nameOptions } from './option-names.ts';
import type { AnyOption } from './option.ts';
import {
  BUILT_IN_DEFAULTS,
  OPTION_ENTRIES,
  OPTIONS,
  type OptionField,
  type OptionValues,
  valuesOf,
} from './option-table.ts';

/** What a volume is to be made like. */
export interface CreateOptions extends OptionValues {
  /** Which of these the user asked for, as against defaults. */
  readonly explicit: ReadonlySet<OptionField>;
}

const MOST_FAULTS = 3;

/**
 * Reads Docker's driver options; docs/options.md says what each may be. `defaults`: for users who do not say. Throws InvalidRequestError
 * that says all that is wrong. `warnings` are for the log: what is accepted and has no effect, or another one than with REX-Ray.
 */
export function parseCreateOptions(
  name: VolumeName,
  raw: Readonly<Record<string, string>>,
  defaults: OptionValues,
): { readonly options: CreateOptions; readonly warnings: readonly string[] } {
  const named = nameOptions(raw);
  const faults = [...named.faults];
  // What a copy is not asked for is its origin's, which is not known here (clone-options.ts).
  const isCopy = named.values.has('from');
  const given = readGiven(named.values, isCopy ? everyFilesystem(defaults.fs) : [defaults.fs], faults);
  if (faults.length > 0) throw asError(name, faults);
  const isOperatorsFs = (given.get('fs') ?? defaults.fs) === defaults.fs;
  const values = valuesOf(({ isForFilesystem }, field) => {
    if (given.has(field)) return given.get(field);
    // The operator's defaults are for the operator's file system; another may not know them.
    return isForFilesystem === true && !isOperatorsFs ? BUILT_IN_DEFAULTS[field] : defaults[field];
  });
  const growth = isCopy ? undefined : faultOfGrowth(values);
  if (growth !== undefined) throw asError(name, [growth]);
  return { options: { ...values, explicit: new Set(named.values.keys()) }, warnings: named.warnings };
}

/** With the operator's first, by which what is wrong is told. */
function everyFilesystem(first: FilesystemType): FilesystemType[] {
  return [first, ...FILESYSTEMS.filter((fs) => fs !== first)];
}

/**
 * Adds to the faults what cannot be read. What is for a file system is not judged by one that is itself a fault; where none is asked for
 * it is read for the first of `possible` that takes it.
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

function asError(name: VolumeName, faults: readonly string[]): InvalidRequestError {
  const rest = faults.length - MOST_FAULTS;
  const shown = faults.slice(0, MOST_FAULTS).join('; ') + (rest > 0 ? `; and ${rest} more faults` : '');
  return new InvalidRequestError(`creating volume ${quote(name)} failed: ${shown}`, {
    context: { volume: name },
  });
}
