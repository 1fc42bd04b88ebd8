import { ConfigError } from '../errors.ts';
import {
  CONFIG_ENV,
  FILE_SUFFIX,
  readEnvironment,
  readFlags,
  readSettingsFile,
  unlessEmpty,
} from './layers.ts';
import type { Environment, Findings, Given, Origin, ReadFile } from './layers.ts';
import { infoOf, SETTING_KEYS, settingsSchema, withUnits } from './settings.ts';
import type { SettingKey, Settings } from './settings.ts';

/** Flags of `serve`, by the setting they give. */
export interface SettingsFlags {
  readonly socket?: string | undefined;
  readonly mountRoot?: string | undefined;
  readonly stateDir?: string | undefined;
  /** The settings file. */
  readonly config?: string | undefined;
}

export interface SettingsSources {
  readonly env: Environment;
  readonly flags?: SettingsFlags;
  readonly readFile: ReadFile;
}

export interface LoadedSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingKey, Origin>>;
  /** As they were written, undefined where nothing is set; secrets as Secret. */
  readonly written: Readonly<Record<SettingKey, unknown>>;
  /** Where the password stands, so that a new one takes effect without a restart; undefined: nowhere but here. */
  readonly passwordFile: string | undefined;
  /** For the log: what works but is probably not meant. */
  readonly warnings: readonly string[];
}

/**
 * The settings in force: flags before environment variables before the settings file before defaults. A value that is
 * empty counts as not set. Throws one ConfigError that lists everything that is wrong; no secret is in it.
 */
export function loadSettings({ env, flags = {}, readFile }: SettingsSources): LoadedSettings {
  const findings: Findings = { problems: [], warnings: [], broken: new Set() };
  const { config, ...settingFlags } = flags;
  const file = unlessEmpty(config) ?? unlessEmpty(env[CONFIG_ENV]);
  const given = new Map<SettingKey, Given>();
  const layers = [
    file === undefined ? [] : readSettingsFile(file, readFile, findings),
    readEnvironment(env, readFile, findings),
    readFlags(definedOnly(settingFlags)),
  ];
  for (const one of layers.flat()) given.set(one.key, one);

  const parsed = settingsSchema.safeParse(
    Object.fromEntries([...given].map(([key, { value }]) => [key, value])),
  );
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0]) as SettingKey;
    if (!findings.broken.has(key)) findings.problems.push(describeIssue(key, issue.message, given));
  }
  if (!parsed.success || findings.problems.length > 0) throw refusal(findings.problems);
  const settings = fittingTogether(withUnits(parsed.data));
  return {
    settings,
    origins: byKey((key) => given.get(key)?.origin ?? { source: 'default' }),
    written: byKey((key) => (infoOf(key).isSecret ? parsed.data[key] : writtenOf(key, given))),
    passwordFile: fileOf(given.get('password')?.origin, env),
    warnings: [...findings.warnings, ...oddities(settings)],
  };
}

/** The default as one would write it, undefined when there is none. */
export function defaultOf(key: SettingKey): string | undefined {
  const { def } = settingsSchema.shape[key];
  return def.type === 'prefault' ? String(def.defaultValue) : undefined;
}

function fileOf(origin: Origin | undefined, env: Environment): string | undefined {
  const isFile = origin?.source === 'env' && origin.name.endsWith(FILE_SUFFIX);
  return isFile ? env[origin.name] : undefined;
}

function writtenOf(key: SettingKey, given: ReadonlyMap<SettingKey, Given>): unknown {
  return given.has(key) ? given.get(key)?.value : defaultOf(key);
}

function byKey<T>(valueOf: (key: SettingKey) => T): Record<SettingKey, T> {
  return Object.fromEntries(SETTING_KEYS.map((key) => [key, valueOf(key)])) as Record<SettingKey, T>;
}

function definedOnly(flags: Omit<SettingsFlags, 'config'>): Partial<Record<SettingKey, string>> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

function describeIssue(key: SettingKey, message: string, given: ReadonlyMap<SettingKey, Given>): string {
  const { env, description } = infoOf(key);
  const one = given.get(key);
  if (one === undefined) return `${env} is not set: ${description}`;
  if (one.origin.source === 'file') return `settings file "${one.origin.name}": ${key} ${message}`;
  return `${one.origin.source === 'default' ? env : one.origin.name}: ${message}`;
}

function refusal(problems: readonly string[]): ConfigError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  const list = problems.map((problem) => `\n- ${problem}`).join('');
  return new ConfigError(`the settings have ${count}:${list}`, { context: { problems: problems.length } });
}

const OPEN_TO_ALL =
  'SCALEIO_PAGE_ADDRESS is not one of the loopback, so everybody could read the page: set SCALEIO_PAGE_TOKEN_FILE too';

/** Each is right by itself; throws when they are not together. */
function fittingTogether(settings: Settings): Settings {
  const { pageAddress, pageToken } = settings;
  const isOpenToAll = pageToken === undefined && pageAddress !== undefined && !isLoopback(pageAddress);
  if (isOpenToAll) throw refusal([OPEN_TO_ALL]);
  return settings;
}

function isLoopback(address: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+$/.test(address);
}

function oddities({ insecure, caFile, endpoints, prefix }: Settings): string[] {
  const clear = endpoints.filter((endpoint) => endpoint.startsWith('http:'));
  return [
    ...(insecure ? ["SCALEIO_INSECURE is true: the gateway's certificate is not verified"] : []),
    ...(insecure && caFile !== undefined
      ? ['SCALEIO_CA_FILE is not used while SCALEIO_INSECURE is true']
      : []),
    ...clear.map(
      (endpoint) => `SCALEIO_ENDPOINT: ${endpoint} is not encrypted; the password can be read on the way`,
    ),
    ...(prefix === ''
      ? ['SCALEIO_PREFIX is none: every volume of the array can be listed, pruned and removed from here']
      : []),
  ];
}
