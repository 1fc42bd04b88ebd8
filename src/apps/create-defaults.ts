import type { LocalSettings } from '../config/settings.ts';
import { openClasses, type NewVolumes } from '../volumes/options/classes.ts';
import { BUILT_IN_DEFAULTS, type OptionValues, valuesOf } from '../volumes/options/option-table.ts';

/** What the operator's settings say of new volumes. Throws InvalidRequestError for options that loading settings would refuse. */
export function createDefaults(settings: LocalSettings): OptionValues {
  // Settings are called what the options are called, once their units are in their names.
  const chosen: Readonly<Record<string, unknown>> = settings;
  return valuesOf((option, field) => {
    if (option.setting === undefined || option.setting.isFollowed === true) return BUILT_IN_DEFAULTS[field];
    const value = chosen[field];
    return option.isForFilesystem === true ? option.read(String(value), settings.fs) : value;
  });
}

/** The same with the operator's classes over it. Throws as createDefaults. */
export function newVolumesOf(settings: LocalSettings): NewVolumes {
  const defaults = createDefaults(settings);
  return { defaults, classes: openClasses(settings.classes ?? {}, defaults) };
}
