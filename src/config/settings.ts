import * as z from 'zod';

import { MAX_DURATION_MS } from '../units/duration.ts';
import {
  absolutePath,
  choice,
  duration,
  durationOrOff,
  endpoints,
  guid,
  listenAddress,
  listenAddressOrOff,
  namePrefix,
  optionSets,
  plain,
  sdcNameTemplate,
  secret,
  token,
  wholeNumber,
  yesOrNo,
} from './fields.ts';
import { optionSettings } from './option-settings.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 3600 * SECOND;

/** What is said about a setting besides how it is written. */
export interface SettingInfo {
  /** Environment variable. */
  readonly env: string;
  /** Command-line flag of `serve`. */
  readonly flag?: string;
  readonly description: string;
  /** Never shown. */
  readonly isSecret?: true;
  /** The plugin has no use for it. */
  readonly isForSteward?: true;
  /** Long enough that it is likely to be kept in a file of its own (NAME_FILE). */
  readonly isLong?: true;
}

/** Every setting, as the settings file names it: how it is written, its default, and what it is for. */
export const settingsSchema = z.strictObject({
  endpoints: endpoints().meta({
    env: 'SCALEIO_ENDPOINT',
    description:
      'URL of the gateway, or several separated by commas, in the order to try them; with or without /api',
  }),
  username: plain().meta({
    env: 'SCALEIO_USERNAME',
    description: 'User of the gateway who may create, map and remove volumes',
  }),
  password: secret().meta({
    env: 'SCALEIO_PASSWORD',
    isSecret: true,
    description: 'Password of that user; better in a file named by SCALEIO_PASSWORD_FILE',
  }),
  caFile: absolutePath().optional().meta({
    env: 'SCALEIO_CA_FILE',
    description:
      "PEM file of the authorities that sign the gateway's certificate, instead of the usual ones; a change counts from the next connection on",
  }),
  insecure: yesOrNo().prefault('false').meta({
    env: 'SCALEIO_INSECURE',
    description:
      "true: take any certificate of the gateway. REX-Ray's default was true and its false did not verify",
  }),
  system: plain().optional().meta({
    env: 'SCALEIO_SYSTEM',
    description: 'Id or name of the array; checked against what the gateway says, unset: take any',
  }),
  ...optionSettings,
  classes: optionSets().optional().meta({
    env: 'SCALEIO_CLASSES',
    isLong: true,
    description:
      'Classes of new volumes, a JSON object of sets of options: {"gold": {"pool": "ssd", "iops": 5000}}, for -o class=gold',
  }),
  refuseAbove: wholeNumber(1, 100).optional().meta({
    env: 'SCALEIO_REFUSE_ABOVE',
    description: 'New volumes are refused while their pool is fuller than this, in percent; unset: never',
  }),
  removeGrace: durationOrOff(MINUTE, 365 * 24 * HOUR)
    .prefault('24h')
    .meta({
      env: 'SCALEIO_REMOVE_GRACE',
      description:
        'How long a removed volume can be had back with volume undelete, and takes its space; 0: it is removed with its data at once',
    }),
  prefix: namePrefix().prefault('docker-').meta({
    env: 'SCALEIO_PREFIX',
    description:
      "Beginning of our volumes' names on the array; only these are listed, mounted and removed. none: no prefix",
  }),
  guid: guid().optional().meta({
    env: 'SCALEIO_GUID',
    description: "GUID of this host's SDC; unset: what drv_cfg says",
  }),
  drvCfg: absolutePath().prefault('/opt/emc/scaleio/sdc/bin/drv_cfg').meta({
    env: 'SCALEIO_DRV_CFG',
    description: "The SDC's own program",
  }),
  byIdDir: absolutePath().prefault('/dev/disk/by-id').meta({
    env: 'SCALEIO_BY_ID_DIR',
    description: "Directory in which the links to the volumes' devices appear",
  }),
  deviceTimeout: duration(SECOND, 90 * SECOND)
    .prefault('30s')
    .meta({
      env: 'SCALEIO_DEVICE_TIMEOUT',
      description: "How long to wait for a mapped volume's device",
    }),
  joinMdm: yesOrNo().prefault('false').meta({
    env: 'SCALEIO_JOIN_MDM',
    description: "true: give this host's SDC the array's MDM addresses where it has none of them",
  }),
  joinMdmFile: absolutePath().optional().meta({
    env: 'SCALEIO_JOIN_MDM_FILE',
    description:
      'drv_cfg.txt to write these addresses to as well; unset: only to the running driver, again at each start',
  }),
  joinApprove: yesOrNo().prefault('false').meta({
    env: 'SCALEIO_JOIN_APPROVE',
    description: "true: approve this host's own SDC at an array that lets in only approved ones",
  }),
  joinName: sdcNameTemplate().prefault('off').meta({
    env: 'SCALEIO_JOIN_NAME',
    description:
      "Name to give this host's SDC where it has none; {host} stands for the host's name. off: leave it alone",
  }),
  joinRename: yesOrNo().prefault('false').meta({
    env: 'SCALEIO_JOIN_RENAME',
    description: 'true: give it that name also when it has another one',
  }),
  joinRetry: duration(SECOND, HOUR).prefault('10s').meta({
    env: 'SCALEIO_JOIN_RETRY',
    description: 'How often a host that has not joined the storage looks again',
  }),
  failoverGrace: duration(0, 60 * SECOND)
    .prefault('10s')
    .meta({
      env: 'SCALEIO_FAILOVER_GRACE',
      description: 'How long to wait for the other host to release the volume by itself',
    }),
  // A Mount waits for it, and has 100 s for everything.
  failoverIdleWindow: duration(SECOND, 60 * SECOND)
    .prefault('60s')
    .meta({
      env: 'SCALEIO_FAILOVER_IDLE_WINDOW',
      description: 'How long a volume must have had no I/O to count as idle',
    }),
  moveLimit: wholeNumber(1, 1000).prefault('5').meta({
    env: 'SCALEIO_MOVE_LIMIT',
    description: 'A volume taken over this often within the move window stays where it is',
  }),
  moveWindow: duration(SECOND, 24 * HOUR)
    .prefault('10m')
    .meta({
      env: 'SCALEIO_MOVE_WINDOW',
      description: 'Time in which take-overs of a volume are counted',
    }),
  reconcileInterval: duration(SECOND, 24 * HOUR)
    .prefault('60s')
    .meta({
      env: 'SCALEIO_RECONCILE_INTERVAL',
      description: 'How often this host compares what it has mounted with the array and cleans up',
    }),
  trimInterval: duration(SECOND, MAX_DURATION_MS).optional().meta({
    env: 'SCALEIO_TRIM_INTERVAL',
    description: 'How often this host trims its mounted volumes, one at a time, like 24h; unset: never',
  }),
  requestTimeout: duration(SECOND, 90 * SECOND)
    .prefault('15s')
    .meta({
      env: 'SCALEIO_REQUEST_TIMEOUT',
      description:
        'How long to wait for an answer of one gateway before the next is tried; small answers have 5 s at most (two gateways: 4, more: 3)',
    }),
  maxConcurrent: wholeNumber(1, 256).prefault('16').meta({
    env: 'SCALEIO_MAX_CONCURRENT',
    description: 'Most requests that are sent to the gateway at once',
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error'], { warning: 'warn', fatal: 'error', panic: 'error' })
    .prefault('info')
    .meta({
      env: 'SCALEIO_LOG_LEVEL',
      description: 'Least important lines to log: debug, info, warn or error',
    }),
  metricsAddress: listenAddress().optional().meta({
    env: 'SCALEIO_METRICS_ADDRESS',
    description:
      'Address for /metrics, /healthz and /readyz besides the socket, such as :9470 for the loopback; unset: none',
  }),
  doorAddress: listenAddress().optional().meta({
    env: 'SCALEIO_DOOR_ADDRESS',
    description:
      'Address on which this host does for stewards what takes a host (docs/api.md), such as 10.0.0.1:9490; always with TLS, and needs the three files. Unset: not at all',
  }),
  doorCertFile: absolutePath().optional().meta({
    env: 'SCALEIO_DOOR_CERT_FILE',
    description:
      'PEM file of the certificate for that, with those that lead to its authority; a new one takes effect within a minute',
  }),
  doorKeyFile: absolutePath().optional().meta({
    env: 'SCALEIO_DOOR_KEY_FILE',
    description: 'PEM file of the key of that certificate',
  }),
  doorTokensFile: absolutePath().optional().meta({
    env: 'SCALEIO_DOOR_TOKENS_FILE',
    description:
      'File of the tokens that let stewards in, a line each: sha256: and the hash, or the token itself; a change counts at once',
  }),
  pageAddress: listenAddressOrOff().prefault('127.0.0.1:9480').meta({
    env: 'SCALEIO_PAGE_ADDRESS',
    isForSteward: true,
    description:
      "Address of the steward's page; off: none. Elsewhere than on the loopback it needs SCALEIO_PAGE_TOKEN_FILE",
  }),
  pageToken: token().optional().meta({
    env: 'SCALEIO_PAGE_TOKEN',
    isSecret: true,
    isForSteward: true,
    description: "Token, 16 characters or more, without which the steward's page is not shown",
  }),
  apiTokensFile: absolutePath().optional().meta({
    env: 'SCALEIO_API_TOKENS_FILE',
    isForSteward: true,
    description: "YAML file of the tokens for the steward's API, and what each may do; unset: no API",
  }),
  apiAddress: listenAddress().prefault('127.0.0.1:9481').meta({
    env: 'SCALEIO_API_ADDRESS',
    isForSteward: true,
    description:
      "Address of the steward's API. Elsewhere than on the loopback it needs SCALEIO_API_CERT_FILE and SCALEIO_API_KEY_FILE",
  }),
  apiCertFile: absolutePath().optional().meta({
    env: 'SCALEIO_API_CERT_FILE',
    isForSteward: true,
    description:
      "PEM file of the API's certificate, with those that lead to its authority; a new one takes effect within a minute",
  }),
  apiKeyFile: absolutePath().optional().meta({
    env: 'SCALEIO_API_KEY_FILE',
    isForSteward: true,
    description: 'PEM file of the key of that certificate',
  }),
  apiWithoutTls: yesOrNo().prefault('false').meta({
    env: 'SCALEIO_API_WITHOUT_TLS',
    isForSteward: true,
    description:
      'true: serve the API without TLS also elsewhere than on the loopback, where everybody on the way can read the tokens',
  }),
  socket: absolutePath().prefault('/run/docker/plugins/scaleio.sock').meta({
    env: 'SCALEIO_SOCKET',
    flag: 'socket',
    description: 'Unix socket on which engines find the plugin; its file name is the name of the driver',
  }),
  mountRoot: absolutePath().prefault('/var/lib/docker-volume-scaleio/mounts').meta({
    env: 'SCALEIO_MOUNT_ROOT',
    flag: 'mount-root',
    description: 'Directory below which volumes are mounted; hosts and containers must see the mounts in it',
  }),
  stateDir: absolutePath().prefault('/var/lib/docker-volume-scaleio/state').meta({
    env: 'SCALEIO_STATE_DIR',
    flag: 'state-dir',
    description: 'Directory for what must survive a restart: what this host has mounted, and for whom',
  }),
  hostMountinfo: absolutePath().prefault('/proc/1/mountinfo').meta({
    env: 'SCALEIO_HOST_MOUNTINFO',
    description: "The host's own mount table, to see that a mount has reached the host",
  }),
});

type Written = z.output<typeof settingsSchema>;
export type SettingKey = keyof Written;

export const SETTING_KEYS = Object.keys(settingsSchema.shape) as readonly SettingKey[];

/** What the schema says about a setting besides its form. */
export function infoOf(key: SettingKey): SettingInfo {
  return settingsSchema.shape[key].meta() as unknown as SettingInfo;
}

/** What a host can go on with while it does not know its gateway. */
export const localSchema = settingsSchema.omit({ endpoints: true, username: true, password: true });

/** The settings in force, with their units in their names. */
export type Settings = Readonly<ReturnType<typeof withUnits<Written>>>;

export type LocalSettings = Readonly<ReturnType<typeof withUnits<z.output<typeof localSchema>>>>;

/** Frozen; takes what the schema made of the settings. */
export function withUnits<W extends z.output<typeof localSchema>>(written: W) {
  const {
    size: sizeKiB,
    deviceTimeout: deviceTimeoutMs,
    failoverGrace: failoverGraceMs,
    failoverIdleWindow: failoverIdleWindowMs,
    joinRetry: joinRetryMs,
    moveWindow: moveWindowMs,
    removeGrace: removeGraceMs,
    reconcileInterval: reconcileIntervalMs,
    trimInterval: trimIntervalMs,
    requestTimeout: requestTimeoutMs,
    ...others
  } = written;
  return Object.freeze({
    ...others,
    sizeKiB,
    deviceTimeoutMs,
    failoverGraceMs,
    failoverIdleWindowMs,
    joinRetryMs,
    moveWindowMs,
    removeGraceMs,
    reconcileIntervalMs,
    trimIntervalMs,
    requestTimeoutMs,
  });
}
