import type { OtherSettingName } from '../volumes/options/option.ts';
import { OPTIONS_WITH_SETTING } from './option-settings.ts';
import type { SettingKey } from './settings.ts';

/** Another name under which a setting may be given. */
export interface OtherName extends OtherSettingName {
  readonly key: SettingKey;
}

/** REX-Ray's names for our settings; of two for one setting the first that is set counts, as there. [rexray scaleio] */
export const REXRAY_NAMES: readonly OtherName[] = [
  { env: 'SCALEIO_SYSTEMID', key: 'system' },
  { env: 'SCALEIO_SYSTEMNAME', key: 'system' },
  ...OPTIONS_WITH_SETTING.flatMap(({ key, setting }) =>
    (setting.rexray ?? []).map((name): OtherName => ({ ...name, key })),
  ),
  { env: 'REXRAY_LOGLEVEL', key: 'logLevel' },
];

const NOT_NEEDED = 'has no meaning here and is ignored';
const NO_PROXY = 'is ignored: the plugin always connects to the gateway directly';

/** REX-Ray's settings that have no counterpart, and why. */
export const IGNORED_NAMES: Readonly<Record<string, string>> = {
  SCALEIO_VERSION: 'is ignored: the gateway is asked for its version',
  SCALEIO_USECERTS: 'is ignored: certificates are verified unless SCALEIO_INSECURE=true',
  HTTP_PROXY: NO_PROXY,
  HTTPS_PROXY: NO_PROXY,
  DOCKER_LEGACY: NOT_NEEDED,
  CSI_ENDPOINT: NOT_NEEDED,
  X_CSI_DRIVER: NOT_NEEDED,
  X_CSI_NATIVE: NOT_NEEDED,
};

/** Why a name that is none of ours is passed over, undefined when nothing needs to be said about it. */
export function whyIgnored(env: string): string | undefined {
  if (Object.hasOwn(IGNORED_NAMES, env)) return IGNORED_NAMES[env];
  return /^(?:REXRAY|LIBSTORAGE)_/.test(env) ? NOT_NEEDED : undefined;
}
