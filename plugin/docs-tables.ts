import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { environmentTable } from '../src/config/describe-settings.ts';
import { MKFS_FLAGS, MOUNT_KEYS, type FlagRule } from '../src/volumes/options/allowed-options.ts';
import { RUNBOOK } from '../src/steward/page/runbook.ts';
import { IGNORED_OPTIONS, REFUSED_OPTIONS } from '../src/volumes/options/option-names.ts';
import { OPTION_ENTRIES } from '../src/volumes/options/option-table.ts';
import type { AnyOption } from '../src/volumes/options/option.ts';
import { FILESYSTEMS, type FilesystemType } from '../src/volumes/volume.ts';

/** The parts of the pages in docs/ that are made of tables in the program, by page and by the name of the part. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'options.md': { options: optionTable, names: optionNames, 'mkfs and mount': filesystemOptions },
  'configuration.md': { settings: settingTable },
  'page.md': { events: eventTable },
};

/** The pages that hold such parts. */
export const PAGES = Object.keys(PARTS);

/** The page with its parts made anew. Throws when it has no place for one. */
export function withTables(page: string, text: string): string {
  return Object.entries(PARTS[page] ?? {}).reduce((before, [name, make]) => {
    const [begin, end] = [`<!-- ${name}: begin -->\n`, `\n<!-- ${name}: end -->`];
    const from = before.indexOf(begin);
    const to = before.indexOf(end);
    if (from < 0 || to < from) throw new Error(`docs/${page} has no place for the part "${name}"`);
    return `${before.slice(0, from + begin.length)}\n${make()}\n${before.slice(to)}`;
  }, text);
}

function optionTable(): string {
  const rows = OPTION_ENTRIES.map(([, option]) => [
    code(option.name),
    defaultOf(option),
    option.docs.meaning,
    keptIn(option),
    [option.array?.shown, option.label?.shown].flatMap((shown) =>
      shown === undefined
        ? []
        : [code(shown.within === undefined ? shown.as : `${shown.within}.${shown.as}`)],
    ),
  ]);
  return `${table(['option', 'default', 'meaning', 'kept', 'in Status'], rows)}\n\n${comparison()}`;
}

function defaultOf({ docs, standard, setting }: AnyOption): string {
  const built = docs.standard ?? (standard === undefined || standard === '' ? '' : code(standard));
  if (setting === undefined) return built;
  return built === '' ? code(setting.env) : `${built} (${code(setting.env)})`;
}

function keptIn({ array, label, made }: AnyOption): string[] {
  return [
    ...(array === undefined ? [] : ['array']),
    ...(label === undefined ? [] : ['label']),
    ...(made === undefined ? [] : [made]),
  ];
}

function comparison(): string {
  const isCompared = ({ array, label }: AnyOption): boolean =>
    array?.differs !== undefined || label?.differs !== undefined;
  const [compared, others] = [true, false].map((wanted) =>
    OPTION_ENTRIES.flatMap(([, option]) => (isCompared(option) === wanted ? [code(option.name)] : [])),
  );
  return (
    'Create of a volume that exists succeeds when the volume has every option that the call names; otherwise its error says what differs. ' +
    `Compared are ${listed(compared)}; ${listed(others)} only say how a volume is made.`
  );
}

function optionNames(): string {
  const others = OPTION_ENTRIES.flatMap(([, { name, rexray = [], aliases = [] }]) => {
    const names = [...rexray, ...aliases].filter((other) => other !== name);
    return names.length === 0 ? [] : [`${names.map(code).join(', ')} (${name})`];
  });
  return (
    `Also understood: ${others.join(', ')}. REX-Ray's ${listed(Object.keys(IGNORED_OPTIONS).map(code))} are ignored with a warning, as they ` +
    `were there. ${listed(Object.keys(REFUSED_OPTIONS).map(code))} are refused: an empty volume must not be taken for a copy.`
  );
}

function filesystemOptions(): string {
  const order: readonly FilesystemType[] = ['xfs', ...FILESYSTEMS.filter((fs) => fs !== 'xfs')];
  return order
    .map((fs) => {
      const flags = Object.entries(MKFS_FLAGS[fs]).map(([flag, rule]) => code(flag) + wordsOf(rule));
      const keys = Object.keys(MOUNT_KEYS[fs]).map(code);
      return `### ${fs}\n\nmkfs: ${flags.join('; ')}.\n\nmount: ${keys.join(', ')}.`;
    })
    .join('\n\n');
}

function wordsOf(rule: FlagRule): string {
  if (rule.kind === 'nothing' || rule.kind === 'value') return '';
  const words = rule.kind === 'keys' ? Object.keys(rule.keys) : rule.names;
  return ` with ${words.map(code).join(', ')}`;
}

function settingTable(): string {
  const rows = environmentTable().map((variable) => [
    code(variable.name),
    variable.isRequired ? 'required' : variable.default === '' ? '' : code(variable.default),
    variable.description,
  ]);
  return table(['variable', 'default', 'meaning'], rows);
}

function eventTable(): string {
  const rows = Object.values(RUNBOOK).map(({ title, means, todo }) => [title, means, todo]);
  return table(['event', 'what it means', 'what to do'], rows);
}

type Cell = string | readonly string[];

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string =>
    `| ${cells.map((cell) => (typeof cell === 'string' ? cell : cell.join(', '))).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function listed(words: readonly string[] = []): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  const docs = path.resolve(import.meta.dirname, '../docs');
  for (const page of PAGES) {
    const file = path.join(docs, page);
    await writeFile(file, withTables(page, await readFile(file, 'utf8')));
  }
}
