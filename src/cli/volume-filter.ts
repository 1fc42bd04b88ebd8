import { InvalidRequestError } from '../errors.ts';
import { nearest } from '../units/nearest.ts';
import { quote } from '../units/quote.ts';
import type { ListedFacts } from './volume-facts.ts';

type Test = (facts: ListedFacts, value: string) => boolean;

/** By key, as docker's --filter has them: of one key any value will do, and of several keys each counts. */
const TESTS: Readonly<Record<string, Test>> = {
  name: ({ name }, value) => name.includes(value),
  pool: ({ pool: { id, name, domain } }, value) =>
    [id, name, `${domain ?? ''}/${name ?? ''}`].includes(value),
  fs: ({ filesystem }, value) => filesystem === value,
  access: ({ access }, value) => access === value,
  host: ({ holders }, value) =>
    holders.some(({ sdcId, name, ip }) => value === sdcId || value === name || value === ip),
  held: ({ holders, mappedToAllSdcs }, value) => String(holders.length > 0 || mappedToAllSdcs) === value,
};

/** Keys whose values are few. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  access: ['read-write', 'read-only'],
  held: ['true', 'false'],
};

/** Whether a volume is wanted. Throws InvalidRequestError for what is no key=value, and for unknown keys and values, with the nearest. */
export function volumeFilter(filters: readonly string[]): (facts: ListedFacts) => boolean {
  const byKey = Map.groupBy(filters.map(parsed), ({ key }) => key);
  return (facts) =>
    [...byKey.values()].every((values) => values.some(({ test, value }) => test(facts, value)));
}

function parsed(filter: string): { readonly key: string; readonly value: string; readonly test: Test } {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(filter) ?? [];
  if (key === '' || value === '')
    throw new InvalidRequestError(
      `--filter ${quote(filter, 60)} is not written as key=value, such as pool=ssd`,
    );
  const test = Object.hasOwn(TESTS, key) ? TESTS[key] : undefined;
  if (test === undefined) throw unknown(`--filter knows no ${quote(key, 40)}`, key, Object.keys(TESTS));
  const values = VALUES[key];
  if (values !== undefined && !values.includes(value))
    throw unknown(`--filter ${key} cannot be ${quote(value, 40)}`, value, values);
  return { key, value, test };
}

function unknown(what: string, wanted: string, known: readonly string[]): InvalidRequestError {
  const near = nearest(wanted, known);
  return new InvalidRequestError(
    `${what}; ${near === undefined ? `use ${known.join(', ')}` : `did you mean ${quote(near)}?`}`,
  );
}
