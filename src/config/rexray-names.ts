import { readBoolean } from './fields.ts';
import type { SettingKey } from './settings.ts';

/** Another name under which a setting may be given. */
export interface OtherName {
  readonly env: string;
  readonly key: SettingKey;
  /** The value as our setting writes it; throws InvalidRequestError. */
  readonly convert?: (raw: string) => string;
  /** Said at start when the name is used, because it does not mean quite the same. */
  readonly warning?: string;
}

/** REX-Ray's names for our settings; of two for one setting the first that is set counts, as there. [rexray scaleio] */
export const REXRAY_NAMES: readonly OtherName[] = [
  { env: 'SCALEIO_SYSTEMID', key: 'system' },
  { env: 'SCALEIO_SYSTEMNAME', key: 'system' },
  { env: 'SCALEIO_PROTECTIONDOMAINID', key: 'domain' },
  { env: 'SCALEIO_PROTECTIONDOMAINNAME', key: 'domain' },
  { env: 'SCALEIO_STORAGEPOOLID', key: 'pool' },
  { env: 'SCALEIO_STORAGEPOOLNAME', key: 'pool' },
  { env: 'SCALEIO_THINORTHICK', key: 'provisioning' },
  { env: 'REXRAY_FSTYPE', key: 'fs' },
  { env: 'REXRAY_LOGLEVEL', key: 'logLevel' },
  {
    env: 'REXRAY_PREEMPT',
    key: 'failover',
    convert: (raw) => (readBoolean(raw) ? 'disconnected' : 'never'),
    warning:
      'true means SCALEIO_FAILOVER=disconnected here (volumes of hosts that have lost the array, not of any host), ' +
      'false means SCALEIO_FAILOVER=never: no volume is taken from a dead host either',
  },
  {
    env: 'LINUX_VOLUME_ROOTPATH',
    key: 'subpath',
    warning: 'is for new volumes; existing ones keep what they have',
  },
  { env: 'LIBSTORAGE_INTEGRATION_VOLUME_OPERATIONS_MOUNT_ROOTPATH', key: 'subpath' },
  {
    env: 'LINUX_VOLUME_FILEMODE',
    key: 'mode',
    warning: 'is for new volumes; existing ones keep what they have',
  },
];

const NOT_NEEDED = 'has no meaning here and is ignored';
const NO_PROXY = 'is ignored: the gateway is always spoken to directly';

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
