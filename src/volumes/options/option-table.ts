import type * as z from 'zod';
import { ARRAY_OPTIONS } from './array-options.ts';
import { CLASS_OPTIONS } from './class-options.ts';
import { CONTENT_OPTIONS } from './content-options.ts';
import { COPY_OPTIONS } from './copy-options.ts';
import { GROWTH_OPTIONS } from './growth-options.ts';
import type { AnyOption } from './option.ts';

/**
 * The options of a volume, by what the core calls them. Who reads them from `-o` or from settings, repeats a Create, writes the label,
 * shows Status or prints docs goes through this table. A new option is an entry in it, and its use.
 */
export const OPTIONS = {
  ...ARRAY_OPTIONS,
  ...CONTENT_OPTIONS,
  ...GROWTH_OPTIONS,
  ...COPY_OPTIONS,
  ...CLASS_OPTIONS,
};

type Table = typeof OPTIONS;

/** An option as the core calls it. */
export type OptionField = keyof Table;

/** What an option's text means; undefined for one that nobody has to give. */
type ValueOf<Entry extends Table[OptionField]> = Entry['standard'] extends string
  ? ReturnType<Entry['read']>
  : ReturnType<Entry['read']> | undefined;

/** A value of each option. */
export type OptionValues = { readonly [Field in OptionField]: ValueOf<Table[Field]> };

/** Every option with what the core calls it, in the order of the table. */
export const OPTION_ENTRIES = Object.entries(OPTIONS) as unknown as readonly (readonly [
  OptionField,
  AnyOption,
])[];

/** What holds where neither the user nor the operator says anything. */
export const BUILT_IN_DEFAULTS = valuesOf((option) =>
  option.standard === undefined ? undefined : option.read(option.standard, OPTIONS.fs.standard),
);

/** A value of each option, as `of` has it, which answers with what the option's `read` would. */
export function valuesOf(of: (option: AnyOption, field: OptionField) => unknown): OptionValues {
  return Object.fromEntries(
    OPTION_ENTRIES.map(([field, option]) => [field, of(option, field)]),
  ) as OptionValues;
}

type InLabel<Entry extends Table[OptionField]> = NonNullable<Entry['label']>;

/** How the options stand in a label, by the label's own fields. */
export type LabelForms = {
  readonly [Field in OptionField as InLabel<Table[Field]>['field']]: InLabel<Table[Field]>['form'];
};

export const LABEL_FORMS = Object.fromEntries(
  OPTION_ENTRIES.flatMap(([, { label }]) => (label === undefined ? [] : [[label.field, label.form]])),
) as unknown as LabelForms;

/** What a label says of the options. */
export type LabelledOptions = Readonly<z.output<z.ZodObject<LabelForms>>>;

/** What of the options goes into the label. */
export function labelledOptions(values: OptionValues): LabelledOptions {
  return Object.fromEntries(
    OPTION_ENTRIES.flatMap(([field, { label }]) =>
      label === undefined ? [] : [[label.field, values[field]]],
    ),
  ) as unknown as LabelledOptions;
}
