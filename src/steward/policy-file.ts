import { parseDocument } from 'yaml';
import * as z from 'zod';
import { ConfigError } from '../errors.ts';
import { nearest } from '../units/nearest.ts';
import { quote } from '../units/quote.ts';
import { policySchema, type Policy } from './policy.ts';

/** The policy in a YAML or JSON text. Throws one ConfigError that lists everything that is wrong in it. */
export function parsePolicy(text: string, file: string): Policy {
  return declaredIn(policySchema, text, { what: 'policy', file });
}

/** What an operator declares in a YAML or JSON text. Throws one ConfigError that lists everything that is wrong in it. */
export function declaredIn<S extends z.ZodType>(
  schema: S,
  text: string,
  of: { readonly what: string; readonly file: string },
): z.output<S> {
  // Aliases can make a small file huge, and nothing that is declared here has a use for them.
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true });
  const broken = document.errors.map(({ message }) => message.split('\n')[0] ?? message);
  if (broken.length > 0) throw refusal(of, broken);
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success) return parsed.data;
  throw refusal(
    of,
    parsed.error.issues.flatMap((issue) => describe(schema, issue)),
  );
}

function refusal(
  { what, file }: { readonly what: string; readonly file: string },
  problems: readonly string[],
): ConfigError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  const list = problems.map((problem) => `\n- ${problem}`).join('');
  return new ConfigError(`${what} ${quote(file, 200)} has ${count}:${list}`, {
    context: { problems: problems.length },
  });
}

function describe(schema: z.ZodType, issue: z.core.$ZodIssue): string[] {
  const place = placeOf(issue.path);
  if (issue.code !== 'unrecognized_keys')
    return [place === '' ? issue.message : `${place}: ${issue.message}`];
  const known = keysAt(schema, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const hint = meant === undefined ? `; there are ${known.join(', ')}` : `; did you mean ${meant}?`;
    return `${place === '' ? '' : `${place}: `}unknown key ${quote(key)}${hint}`;
  });
}

/** pools[0].grow.above */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** What may stand in the object at this place of the schema. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const plain = unwrapped(schema);
  const [first, ...rest] = path;
  if (plain instanceof z.ZodArray) return keysAt(plain.element, rest);
  if (!(plain instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(plain.shape);
  const field: unknown = plain.shape[String(first)];
  return field instanceof z.ZodType ? keysAt(field, rest) : [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return isWrapped ? unwrapped(schema.def.innerType) : schema;
}
