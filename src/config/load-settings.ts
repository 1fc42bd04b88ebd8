import { ConfigError, InvalidRequestError } from '../errors.ts';
import { assertCertificates } from '../host/ca-file.ts';
import { quote } from '../units/quote.ts';
import {
  CONFIG_ENV,
  FILE_SUFFIX,
  readEnvironment,
  readFlags,
  readSettingsFile,
  readTextFile,
  unlessEmpty,
  type Environment,
  type Findings,
  type Given,
  type Origin,
  type ReadFile,
} from './layers.ts';
import { faultsOfClasses } from '../volumes/options/classes.ts';
import { OPTIONS_WITH_SETTING } from './option-settings.ts';
import { realDirectory, type RealPath } from './real-path.ts';
import {
  infoOf,
  localSchema,
  SETTING_KEYS,
  settingsSchema,
  withUnits,
  type LocalSettings,
  type SettingKey,
  type Settings,
} from './settings.ts';

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
  /** Given by who mounts here: the mount root is looked at then. */
  readonly realPath?: RealPath | undefined;
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

/** Settings with mistakes. The message lists all of them, a line each. */
export class FlawedSettingsError extends ConfigError {
  readonly problems: readonly string[];
  /** What can be gone on with where no gateway is needed: what is right, and defaults in place of what is not. */
  readonly local: LocalSettings;
  /** False where a mistake is about the directories in which this host keeps what it knows: then it knows nothing. */
  readonly knowsItsPlaces: boolean;

  constructor(problems: readonly string[], local: LocalSettings, knowsItsPlaces: boolean) {
    const list = problems.map((problem) => `\n- ${problem}`).join('');
    super(`the settings have ${countOf(problems)}:${list}`, { context: { problems: problems.length } });
    this.problems = problems;
    this.local = local;
    this.knowsItsPlaces = knowsItsPlaces;
  }

  /** The same in one line, for a caller who cannot be served because of it. */
  get inOneLine(): string {
    return `the settings have ${countOf(this.problems)}: ${this.problems.join('; ')}`;
  }
}

function countOf(problems: readonly string[]): string {
  return problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
}

/**
 * The settings in force: flags before environment variables before the settings file before defaults. A value that is
 * empty counts as not set. Throws one FlawedSettingsError that lists everything that is wrong; no secret is in it.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const { env, readFile, realPath } = sources;
  const findings: Findings = { problems: [], warnings: [], broken: new Set() };
  const given = givenBy(sources, findings);
  const values = Object.fromEntries([...given].map(([key, { value }]) => [key, value]));
  const parsed = settingsSchema.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0]) as SettingKey;
    if (!findings.broken.has(key)) findings.problems.push(describeIssue(key, issue.message, given));
    findings.broken.add(key);
  }
  findings.problems.push(...flawedOptions(values, findings.broken, given));
  findings.problems.push(...flawedClasses(values, findings.broken, given));
  const local = localSettings(values, findings.broken);
  findings.problems.push(...mismatches(local, given, { readFile, realPath }));
  if (!parsed.success || findings.problems.length > 0) {
    const { problems, broken } = findings;
    throw new FlawedSettingsError(problems, local, !broken.has('stateDir') && !broken.has('mountRoot'));
  }
  const settings = withUnits(parsed.data);
  return {
    settings,
    origins: byKey((key) => given.get(key)?.origin ?? { source: 'default' }),
    written: byKey((key) => (infoOf(key).isSecret ? parsed.data[key] : writtenOf(key, given))),
    passwordFile: fileOf(given.get('password')?.origin, env),
    warnings: [...findings.warnings, ...oddities(settings)],
  };
}

/** What somebody has written, the strongest of each. */
function givenBy({ env, flags = {}, readFile }: SettingsSources, findings: Findings): Map<SettingKey, Given> {
  const { config, ...settingFlags } = flags;
  const file = unlessEmpty(config) ?? unlessEmpty(env[CONFIG_ENV]);
  const layers = [
    file === undefined ? [] : readSettingsFile(file, readFile, findings),
    readEnvironment(env, readFile, findings),
    readFlags(definedOnly(settingFlags)),
  ];
  return new Map(layers.flat().map((one) => [one.key, one]));
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

/** What mkfs and mount shall be told is right or wrong for the file system that it is for; wrong ones are marked as broken. */
function flawedOptions(
  values: Readonly<Record<string, unknown>>,
  broken: Set<SettingKey>,
  given: ReadonlyMap<SettingKey, Given>,
): string[] {
  const fs = settingsSchema.shape.fs.safeParse(values['fs']);
  if (!fs.success) return [];
  return OPTIONS_WITH_SETTING.flatMap(({ key, option }) => {
    const text = values[key];
    if (option.isForFilesystem !== true || broken.has(key) || typeof text !== 'string') return [];
    try {
      option.read(text, fs.data);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      broken.add(key);
      return [describeIssue(key, error.message, given)];
    }
  });
}

/** What is wrong with the options of classes, a line each; any makes all classes broken, as half of a class is another one. */
function flawedClasses(
  values: Readonly<Record<string, unknown>>,
  broken: Set<SettingKey>,
  given: ReadonlyMap<SettingKey, Given>,
): string[] {
  const { classes, fs } = settingsSchema.shape;
  const written = classes.safeParse(values['classes']);
  const usual = fs.safeParse(values['fs']);
  if (written.data === undefined || !usual.success) return [];
  const faults = faultsOfClasses(written.data, usual.data);
  if (faults.length > 0) broken.add('classes');
  return faults.map((fault) => describeIssue('classes', fault, given));
}

/** What is right, and defaults in place of what is not. */
function localSettings(
  values: Readonly<Record<string, unknown>>,
  broken: ReadonlySet<SettingKey>,
): LocalSettings {
  const isUsable = (key: string): boolean => key in localSchema.shape && !broken.has(key as SettingKey);
  const usable = Object.entries(values).filter(([key]) => isUsable(key));
  return withUnits(localSchema.parse(Object.fromEntries(usable)));
}

const OPEN_TO_ALL =
  'SCALEIO_PAGE_ADDRESS is not one of the loopback, so everybody could read the page: set SCALEIO_PAGE_TOKEN_FILE too';

/** What is wrong with settings of which each is right by itself. */
function mismatches(
  settings: LocalSettings,
  given: ReadonlyMap<SettingKey, Given>,
  { readFile, realPath }: Pick<SettingsSources, 'readFile' | 'realPath'>,
): string[] {
  const { pageAddress, pageToken, caFile, insecure, mountRoot } = settings;
  const isOpenToAll = pageToken === undefined && pageAddress !== undefined && !isLoopback(pageAddress);
  const ca = caFile === undefined || insecure ? undefined : flawOfCaFile(caFile, readFile);
  const root = realPath === undefined ? undefined : flawOfMountRoot(mountRoot, realPath);
  return [
    ...(isOpenToAll ? [OPEN_TO_ALL] : []),
    ...flawsOfApi(settings),
    ...flawsOfDoor(settings),
    ...(ca === undefined ? [] : [describeIssue('caFile', ca, given)]),
    ...(root === undefined ? [] : [describeIssue('mountRoot', root, given)]),
  ];
}

function flawsOfApi({
  apiTokensFile,
  apiAddress,
  apiCertFile,
  apiKeyFile,
  apiWithoutTls,
}: LocalSettings): string[] {
  if (apiTokensFile === undefined) return [];
  if ((apiCertFile === undefined) !== (apiKeyFile === undefined))
    return ['SCALEIO_API_CERT_FILE and SCALEIO_API_KEY_FILE belong together: set both, or neither'];
  if (apiCertFile !== undefined || apiWithoutTls || isLoopback(apiAddress)) return [];
  return [
    'SCALEIO_API_ADDRESS is not one of the loopback, so tokens could be read on the way: set SCALEIO_API_CERT_FILE and SCALEIO_API_KEY_FILE, ' +
      'or SCALEIO_API_WITHOUT_TLS=true where something else protects it',
  ];
}

function flawsOfDoor({ doorAddress, doorCertFile, doorKeyFile, doorTokensFile }: LocalSettings): string[] {
  const files = [doorCertFile, doorKeyFile, doorTokensFile];
  if (doorAddress === undefined || !files.includes(undefined)) return [];
  return [
    'SCALEIO_DOOR_ADDRESS is served with TLS and to known tokens alone: set SCALEIO_DOOR_CERT_FILE, SCALEIO_DOOR_KEY_FILE and SCALEIO_DOOR_TOKENS_FILE too, or unset it',
  ];
}

/** Undefined when the file holds whole certificates. */
function flawOfCaFile(file: string, readFile: ReadFile): string | undefined {
  const remedy =
    "put the authority's certificate there (PEM), or unset it where a usual authority has signed the gateway's";
  try {
    assertCertificates(readTextFile(file, readFile));
    return undefined;
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    const why = error instanceof InvalidRequestError ? says : `file ${quote(file, 200)}: ${says}`;
    return `${why}; ${remedy}`;
  }
}

/** Undefined for a directory that engine and plugin see under the same name. */
function flawOfMountRoot(mountRoot: string, realPath: RealPath): string | undefined {
  try {
    const real = realDirectory(mountRoot, realPath);
    if (real === mountRoot) return undefined;
    return `${quote(mountRoot, 200)} is reached through a symbolic link, but the kernel shows mounts by their real path; write ${quote(real, 200)}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${quote(mountRoot, 200)} cannot be made: ${why}; choose another directory`;
  }
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
