import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import type { VolumeName } from '../volume.ts';
import { type NewVolumes, unknownClass } from './classes.ts';
import { faultOfGrowth } from './growth-options.ts';
import { nameOptions } from './option-names.ts';
import { OPTIONS, type OptionField, type OptionValues } from './option-table.ts';
import { readOptions } from './read-options.ts';

/** What a volume is to be made like. */
export interface CreateOptions extends OptionValues {
  /** Which of these the user asked for, as against defaults. */
  readonly explicit: ReadonlySet<OptionField>;
  /** Which of the others its class gives; like defaults, they are held against no volume that exists. */
  readonly ofClass: ReadonlySet<OptionField>;
}

const MOST_FAULTS = 3;

/**
 * Reads Docker's driver options; docs/options.md says what each may be. `newVolumes`: for users who do not say. Throws InvalidRequestError
 * that says all that is wrong. `warnings` are for the log: what is accepted and has no effect, or another one than with REX-Ray.
 */
export function parseCreateOptions(
  name: VolumeName,
  raw: Readonly<Record<string, string>>,
  { defaults, classes }: NewVolumes,
): { readonly options: CreateOptions; readonly warnings: readonly string[] } {
  const named = nameOptions(raw);
  const faults = [...named.faults];
  const className = named.values.get('className');
  const ofClass = className === undefined ? undefined : classes.get(className);
  const isCopy = named.values.has('from');
  const values = readOptions(named.values, { defaults: ofClass?.values ?? defaults, isCopy }, faults);
  // Other names are what the option itself refuses.
  if (values.className !== undefined && ofClass === undefined)
    faults.push(`${OPTIONS.className.name} ${unknownClass(values.className, classes)}`);
  if (faults.length > 0) throw asError(name, faults);
  const growth = isCopy ? undefined : faultOfGrowth(values);
  if (growth !== undefined) throw asError(name, [growth]);
  const explicit = new Set(named.values.keys());
  const fields = [...(ofClass?.fields ?? [])].filter((field) => !explicit.has(field));
  return { options: { ...values, explicit, ofClass: new Set(fields) }, warnings: named.warnings };
}

function asError(name: VolumeName, faults: readonly string[]): InvalidRequestError {
  const rest = faults.length - MOST_FAULTS;
  const shown = faults.slice(0, MOST_FAULTS).join('; ') + (rest > 0 ? `; and ${rest} more faults` : '');
  return new InvalidRequestError(`creating volume ${quote(name)} failed: ${shown}`, {
    context: { volume: name },
  });
}
