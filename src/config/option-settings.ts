import * as z from 'zod';

import type { AnyOption, OperatorSetting } from '../volumes/options/option.ts';
import { OPTION_ENTRIES, OPTIONS, type OptionField } from '../volumes/options/option-table.ts';
import { text, textOrNumber } from './fields.ts';

type Table = typeof OPTIONS;
type Entry = Table[OptionField];
type SettingOf<One extends Entry> = NonNullable<One['setting']>;
type KeyIn<Setting> = Setting extends { readonly key: infer Key extends string } ? Key : never;
type ValueOf<One extends Entry> =
  SettingOf<One> extends { readonly read: (raw: string) => infer Value } ? Value : ReturnType<One['read']>;
type FieldOf<One extends Entry> = One['standard'] extends string
  ? z.ZodPrefault<z.ZodType<ValueOf<One>, string | number>>
  : z.ZodOptional<z.ZodType<ValueOf<One>, string | number>>;

/** Options of which an operator may say something. */
export const OPTIONS_WITH_SETTING = OPTION_ENTRIES.flatMap(([, option]) => {
  const { setting } = option;
  return setting === undefined ? [] : [{ option, setting, key: setting.key as OptionSettingKey }];
});

type OptionSettings = { [Name in OptionField as KeyIn<SettingOf<Table[Name]>>]: FieldOf<Table[Name]> };
export type OptionSettingKey = keyof OptionSettings;

/** The settings for new volumes, each written as the option is that it speaks for. */
export const optionSettings = Object.fromEntries(
  OPTIONS_WITH_SETTING.map(({ option, setting }) => [setting.key, fieldOf(option, setting)]),
) as unknown as OptionSettings;

function fieldOf(option: AnyOption, setting: OperatorSetting): z.ZodType {
  const { env, description } = setting;
  const standard = setting.standard ?? option.standard;
  // What is for a file system has a `read` of its own here; to the others it is all the same.
  const read = setting.read ?? ((raw: string) => option.read(raw, OPTIONS.fs.standard));
  const field = setting.takesNumber === true ? textOrNumber(read) : text(read);
  return (standard === undefined ? field.optional() : field.prefault(standard)).meta({ env, description });
}
