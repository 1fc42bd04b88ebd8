import { nearest } from '../../units/nearest.ts';
import { quote } from '../../units/quote.ts';
import { nameOptions, type NamedOptions } from './option-names.ts';
import { BUILT_IN_DEFAULTS, OPTIONS, type OptionField, type OptionValues } from './option-table.ts';
import { readOptions } from './read-options.ts';

/** Sets of options by the operator's names for them, each as it would be written with `-o`. */
export type WrittenClasses = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A set of options that users ask for by its name. */
export interface VolumeClass {
  /** What the operator wrote, by the options' own names. */
  readonly options: Readonly<Record<string, string>>;
  /** Which options these are. */
  readonly fields: ReadonlySet<OptionField>;
  /** What holds for a volume of the class that asks for nothing else. */
  readonly values: OptionValues;
}

/** By name. */
export type VolumeClasses = ReadonlyMap<string, VolumeClass>;

/** What new volumes are made with where their users do not say. */
export interface NewVolumes {
  readonly defaults: OptionValues;
  readonly classes: VolumeClasses;
}

/** What each volume has for itself, so that no class can give it. */
const OF_ONE_VOLUME: readonly OptionField[] = ['className', 'from'];

/** What is wrong with the classes, each as a clause for people. `fs`: of volumes that ask for none. */
export function faultsOfClasses(written: WrittenClasses, fs: OptionValues['fs']): readonly string[] {
  const defaults = { ...BUILT_IN_DEFAULTS, fs };
  return Object.entries(written).flatMap(([name, options]) => {
    const named = nameOptions(options);
    const faults = [...named.faults];
    for (const option of named.ignored) faults.push(`option ${quote(option)} does nothing here`);
    for (const field of OF_ONE_VOLUME)
      if (named.values.has(field)) faults.push(`${OPTIONS[field].name} cannot come from a class`);
    readOptions(named.values, { defaults, isCopy: false }, faults);
    return faults.map((fault) => `class ${quote(name)}: ${fault}`);
  });
}

/** The classes over the operator's defaults. To be called with what faultsOfClasses finds no fault with. */
export function openClasses(written: WrittenClasses, defaults: OptionValues): VolumeClasses {
  return new Map(
    Object.entries(written).map(([name, options]) => {
      const { values: texts } = nameOptions(options);
      return [name, classOf(texts, defaults)];
    }),
  );
}

function classOf(texts: NamedOptions['values'], defaults: OptionValues): VolumeClass {
  return {
    options: Object.fromEntries([...texts].map(([field, text]) => [OPTIONS[field].name, text])),
    fields: new Set(texts.keys()),
    values: readOptions(texts, { defaults, isCopy: false }, []),
  };
}

/** Why there is no such class, as it follows the option's name. */
export function unknownClass(name: string, classes: VolumeClasses): string {
  const known = [...classes.keys()];
  if (known.length === 0) return `${quote(name)} is unknown: this host has no classes (SCALEIO_CLASSES)`;
  const meant = nearest(name, known);
  const hint = meant === undefined ? '' : `, did you mean ${quote(meant)}?`;
  return `${quote(name)} is none of this host's classes${hint} (there are: ${known.join(' ')})`;
}
