import * as z from 'zod';

import { InvalidRequestError } from '../errors.ts';
import { nearest } from '../units/nearest.ts';
import { quote } from '../units/quote.ts';
import { REXRAY_NAMES, IGNORED_NAMES, whyIgnored, type OtherName } from './rexray-names.ts';
import { infoOf, SETTING_KEYS, type SettingKey } from './settings.ts';

/** Where a setting's value comes from. `name`: the file, the variable, the flag. */
export type Origin =
  { readonly source: 'default' } | { readonly source: 'file' | 'env' | 'flag'; readonly name: string };

/** A setting as somebody wrote it. */
export interface Given {
  readonly key: SettingKey;
  readonly value: unknown;
  readonly origin: Origin;
}

/** Collects what is wrong and what is odd, so that all of it is said at once. */
export interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
  /** Settings of which a problem is told already. */
  readonly broken: Set<SettingKey>;
}

/** Text of a file; throws the node:fs error. */
export type ReadFile = (path: string) => string;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Behind a variable's name: the file that holds its value. */
export const FILE_SUFFIX = '_FILE';
const OWN_NAMES: readonly OtherName[] = SETTING_KEYS.map((key) => ({ env: infoOf(key).env, key }));

/** Names the settings file, and is itself no setting. */
export const CONFIG_ENV = 'SCALEIO_CONFIG';

/** The settings that environment variables give, under our names or REX-Ray's; ours count more. */
export function readEnvironment(env: Environment, readFile: ReadFile, findings: Findings): Given[] {
  reportForeignNames(env, findings);
  const given = new Map<SettingKey, Given>();
  for (const name of [...OWN_NAMES, ...REXRAY_NAMES]) {
    try {
      const one = readVariable(name, env, readFile);
      if (one === undefined) continue;
      if (name.warning !== undefined) findings.warnings.push(`${name.env} ${name.warning}`);
      if (!given.has(name.key)) given.set(name.key, one);
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      findings.problems.push(`${name.env}: ${error.message}`);
      findings.broken.add(name.key);
    }
  }
  return [...given.values()];
}

/** Undefined when neither the variable nor its NAME_FILE is set. Throws InvalidRequestError. */
function readVariable(
  { env: name, key, convert }: OtherName,
  env: Environment,
  readFile: ReadFile,
): Given | undefined {
  const direct = unlessEmpty(env[name]);
  const file = unlessEmpty(env[name + FILE_SUFFIX]);
  const raw = direct ?? (file === undefined ? undefined : contentOf(file, readFile));
  if (raw === undefined) return undefined;
  const text = infoOf(key).isSecret ? raw : raw.trim();
  const value = convert === undefined ? text : convert(text);
  return { key, value, origin: { source: 'env', name: direct === undefined ? name + FILE_SUFFIX : name } };
}

/** A secret as its file holds it, without what editors put around it: the mark of UTF-8 and the newline at the end. */
export function secretIn(content: string): string {
  return content.replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
}

function contentOf(path: string, readFile: ReadFile): string {
  const content = unlessEmpty(secretIn(readTextFile(path, readFile)));
  if (content !== undefined) return content;
  throw new InvalidRequestError(`file ${quote(path, 200)} is empty`);
}

/** Throws InvalidRequestError. */
export function readTextFile(path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (cause) {
    throw new InvalidRequestError(`cannot read file ${quote(path, 200)}: ${reasonOf(cause)}`, { cause });
  }
}

/** Variables that look like ours and are not are most likely misspelt, and a setting that does not act is worse than none. */
function reportForeignNames(env: Environment, { problems, warnings }: Findings): void {
  const known = [...OWN_NAMES, ...REXRAY_NAMES].map((name) => name.env);
  const taken = new Set([...known, ...known.map((name) => name + FILE_SUFFIX), CONFIG_ENV]);
  for (const [name, value] of Object.entries(env)) {
    if (taken.has(name) || unlessEmpty(value) === undefined) continue;
    const why = whyIgnored(name);
    if (why !== undefined) warnings.push(`${name} ${why}`);
    else if (name.startsWith('SCALEIO_'))
      problems.push(unknownName(name, [...taken, ...Object.keys(IGNORED_NAMES)]));
  }
  for (const name of known) {
    const isTwice =
      unlessEmpty(env[name]) !== undefined && unlessEmpty(env[name + FILE_SUFFIX]) !== undefined;
    if (isTwice) problems.push(`${name} and ${name}${FILE_SUFFIX} are both set; unset one`);
  }
}

/** The settings of a JSON file. */
export function readSettingsFile(path: string, readFile: ReadFile, { problems }: Findings): Given[] {
  const shown = `settings file ${quote(path, 200)}`;
  const content = parseObject(path, readFile);
  if (typeof content === 'string') {
    problems.push(`${shown} ${content}`);
    return [];
  }
  return Object.entries(content).flatMap(([name, value]) => {
    const key = SETTING_KEYS.find((known) => known === name);
    if (key === undefined) problems.push(`${shown}: ${unknownName(name, SETTING_KEYS)}`);
    if (key === undefined || value === '' || value === null) return [];
    return [{ key, value, origin: { source: 'file' as const, name: path } }];
  });
}

/** The object, or what is wrong with the file; never the parser's words, which quote what may be a password. */
function parseObject(path: string, readFile: ReadFile): Record<string, unknown> | string {
  try {
    const parsed = z
      .record(z.string(), z.unknown())
      .safeParse(JSON.parse(readFile(path).replace(/^\uFEFF/, '')));
    return parsed.success ? parsed.data : 'is not a JSON object';
  } catch (error) {
    return error instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${reasonOf(error)}`;
  }
}

/** The settings given as flags, by setting. */
export function readFlags(flags: Readonly<Partial<Record<SettingKey, string>>>): Given[] {
  return SETTING_KEYS.flatMap((key) => {
    const value = unlessEmpty(flags[key]);
    if (value === undefined) return [];
    return [{ key, value, origin: { source: 'flag' as const, name: `--${infoOf(key).flag ?? key}` } }];
  });
}

function unknownName(name: string, known: Iterable<string>): string {
  const meant = nearest(name, known);
  return `unknown setting ${quote(name)}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** Managed plugins cannot unset a variable, only empty it. */
export function unlessEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
