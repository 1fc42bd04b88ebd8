import * as z from 'zod';

import type { Origin } from './layers.ts';
import { defaultOf, type LoadedSettings } from './load-settings.ts';
import { Secret } from './secret.ts';
import { infoOf, SETTING_KEYS, settingsSchema, type SettingKey } from './settings.ts';

/** One line of the command `config`. */
export interface DescribedSetting {
  readonly key: SettingKey;
  readonly env: string;
  /** As it would be written; *** for a secret, '' when not set. */
  readonly value: string;
  /** "default", "file PATH", "env NAME", "flag --NAME". */
  readonly origin: string;
}

/** An environment variable that gives a setting. */
export interface EnvironmentVariable {
  readonly key: SettingKey;
  readonly name: string;
  readonly description: string;
  /** '' when there is none. */
  readonly default: string;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
  /** The plugin has no use for it. */
  readonly isForSteward: boolean;
}

/** The settings in force and where each comes from, without secrets. */
export function describeSettings({ written, origins }: LoadedSettings): DescribedSetting[] {
  return SETTING_KEYS.map((key) => ({
    key,
    env: infoOf(key).env,
    value: shown(written[key]),
    origin: describeOrigin(origins[key]),
  }));
}

/** Every environment variable in the order of the settings; the file of one that is secret or long comes right after it. */
export function environmentTable(): EnvironmentVariable[] {
  return SETTING_KEYS.flatMap((key) => {
    const { env: name, description, isSecret = false, isForSteward = false, isLong = false } = infoOf(key);
    const isRequired = !settingsSchema.shape[key].safeParse(undefined).success;
    const standard = defaultOf(key) ?? '';
    const variable = { key, name, description, default: standard, isRequired, isSecret, isForSteward };
    if (!isSecret && !isLong) return [variable];
    const why = isSecret ? ', so that it is not shown by docker plugin inspect' : '';
    const inFile = `File on this host that holds ${name}${why}`;
    return [
      variable,
      { ...variable, name: `${name}_FILE`, description: inFile, isRequired: false, isSecret: false },
    ];
  });
}

/** JSON Schema (2020-12) of the settings file. */
export function settingsJsonSchema(): object {
  return { title: 'Settings of docker-volume-scaleio', ...z.toJSONSchema(settingsSchema, { io: 'input' }) };
}

function describeOrigin(origin: Origin): string {
  return origin.source === 'default' ? 'default' : `${origin.source} ${origin.name}`;
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' || value instanceof Secret ? value.toString() : JSON.stringify(value);
}
