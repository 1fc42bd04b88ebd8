import { expect, it } from 'vitest';
import { rowFormat } from '../../../src/cli/format-template.ts';
import { InvalidRequestError } from '../../../src/errors.ts';

const CELLS = { Name: 'db', Size: '8 GiB', HeldBy: 'node1 "a"' };
const WHOLE = { name: 'db', sizeKiB: 8_388_608 };
const FIELDS = ['Name', 'Size', 'HeldBy'] as const;
const printed = (template: string): string => rowFormat<typeof CELLS>(template, FIELDS)(CELLS, WHOLE);

it.each([
  ['json', '{"name":"db","sizeKiB":8388608}'],
  ['{{json .}}', '{"name":"db","sizeKiB":8388608}'],
  ['{{.Name}}', 'db'],
  ['{{ .Name }}: {{.Size}}!', 'db: 8 GiB!'],
  ['{{.Name}}\\t{{.Size}}\\n', 'db\t8 GiB\n'],
  ['{{json .HeldBy}}', '"node1 \\"a\\""'],
  ['plain', 'plain'],
])('%j prints %j', (template, text) => {
  expect(printed(template)).toBe(text);
});

it.each([
  ['{{.Nmae}}', 'unknown field "Nmae"; did you mean "Name"?'],
  ['{{.Quota}}', 'there are Name, Size, HeldBy'],
  ['{{json .Szie}}', 'did you mean "Size"?'],
  ['{{.}}', 'unknown field ""'],
  ['{{.name}}', 'did you mean "Name"?'],
  ['{{if .Name}}x{{end}}', 'does not know "{{if .Name}}'],
  ['{{.Name', 'does not know "{{.Name"'],
  ['table {{.Name}}', 'does not know "table "'],
])('%j is refused: %s', (template, words) => {
  expect(() => printed(template)).toThrow(InvalidRequestError);
  expect(() => printed(template)).toThrow(words);
});
