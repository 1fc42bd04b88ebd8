import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGES, withTables } from '../../../plugin/docs-tables.ts';
import { environmentTable } from '../../../src/config/describe-settings.ts';
import { OPTION_ENTRIES } from '../../../src/volumes/options/option-table.ts';

/** Less what prettier does to tables. */
const plain = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

describe('a page of docs/', () => {
  it.each(PAGES)('%s has the tables that "make dockerfile" writes', (name) => {
    expect(plain(page(name))).toBe(plain(withTables(name, page(name))));
  });

  it('without a place for a table is an error', () => {
    expect(() => withTables('options.md', '# Options')).toThrow('has no place for the part "options"');
  });

  it('has a line for each setting', () => {
    const shown = plain(page('configuration.md'));
    for (const { name, description } of environmentTable()) {
      expect(shown).toContain(`| \`${name}\` |`);
      expect(shown).toContain(` | ${description} |`);
    }
  });

  it('has a line for each option, with its setting', () => {
    const shown = plain(page('options.md'));
    for (const [, { name, setting }] of OPTION_ENTRIES)
      expect(shown).toMatch(new RegExp(`^\\| \`${name}\` \\| [^|]*${setting?.env ?? ''}`, 'm'));
  });
});
