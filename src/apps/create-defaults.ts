import type { LocalSettings } from '../config/settings.ts';
import type { CreateDefaults } from '../volumes/options/create-options.ts';
import { parseMkfsOptions, parseMountOptions } from '../volumes/options/filesystem-options.ts';

/** What the operator's settings say of new volumes. Throws InvalidRequestError for options that loading settings would refuse. */
export function createDefaults(settings: LocalSettings): CreateDefaults {
  const {
    sizeKiB,
    provisioning,
    fs,
    uid,
    gid,
    mode,
    subpath,
    mkfsOptions = '',
    mountOptions = '',
  } = settings;
  return {
    sizeKiB,
    provisioning,
    fs,
    uid,
    gid,
    mode,
    subpath,
    mkfsOptions: parseMkfsOptions(fs, mkfsOptions),
    mountOptions: parseMountOptions(fs, mountOptions),
  };
}
