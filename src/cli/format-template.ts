import { InvalidRequestError } from '../errors.ts';
import { nearest } from '../units/nearest.ts';
import { quote } from '../units/quote.ts';

/** {{.Field}}, {{json .Field}}, {{json .}} */
const PLACE = /\{\{\s*(?<json>json\s+)?\.(?<field>\w*)\s*\}\}/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n' };

/**
 * Words one row as a template says: "json", or text with {{.Field}}, {{json .Field}} and {{json .}}, as of `docker … --format` the part that
 * needs no program. Throws InvalidRequestError for anything else in braces, and for a field that is not there, with the nearest.
 */
export function rowFormat<Cells extends Readonly<Record<keyof Cells, string>>>(
  template: string,
  fields: readonly (keyof Cells & string)[],
): (cells: Cells, whole: object) => string {
  const known = (name: string): keyof Cells & string => {
    const field = fields.find((one) => one === name);
    if (field !== undefined) return field;
    const near = nearest(name, fields);
    const hint = near === undefined ? `there are ${fields.join(', ')}` : `did you mean ${quote(near)}?`;
    throw new InvalidRequestError(`--format asks for the unknown field ${quote(name, 40)}; ${hint}`);
  };
  if (template === 'json') return (_, whole) => JSON.stringify(whole);
  const parts = partsOf(template).map((part) => {
    if (typeof part === 'string') return () => part;
    const { field: name, isJson } = part;
    if (name === '' && isJson) return (_: Cells, whole: object) => JSON.stringify(whole);
    const field = known(name);
    return (cells: Cells) => (isJson ? JSON.stringify(cells[field]) : cells[field]);
  });
  return (cells, whole) => parts.map((part) => part(cells, whole)).join('');
}

interface Place {
  /** Empty: all of them. */
  readonly field: string;
  readonly isJson: boolean;
}

function partsOf(template: string): readonly (string | Place)[] {
  const parts: (string | Place)[] = [];
  let end = 0;
  for (const { index, 0: all, groups } of template.matchAll(PLACE)) {
    parts.push(plain(template.slice(end, index)));
    parts.push({ field: groups?.['field'] ?? '', isJson: groups?.['json'] !== undefined });
    end = index + all.length;
  }
  return [...parts, plain(template.slice(end))];
}

function plain(text: string): string {
  if (text.includes('{{') || text.includes('}}') || text.startsWith('table '))
    throw new InvalidRequestError(
      `--format does not know ${quote(text, 60)}; it takes json, or text with {{.Name}}, {{json .Name}} and {{json .}}`,
    );
  return text.replaceAll(/\\[tn]/g, (escape) => ESCAPES[escape] ?? escape);
}
