import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { actionList } from '../../../lab/hosts/lab-actions.ts';
import { shellBlocks } from '../../e2e/docs-page.ts';

/*
 * What pages tell a contributor to type is there: commands that take too long to be typed word for word by a test, as those for users are.
 */

const project = path.resolve(import.meta.dirname, '../../..');
const text = (file: string): string => readFileSync(path.join(project, file), 'utf8');

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'plugin/README.md', 'test/README.md'],
  ...['benchmark', 'configuration', 'failover', 'lab', 'metrics', 'node-join', 'operations', 'options'].map(
    (name) => `docs/${name}.md`,
  ),
  ...['api', 'commands', 'page', 'simulator', 'steward', 'architecture', 'trash', 'upgrade', 'volumes'].map(
    (name) => `docs/${name}.md`,
  ),
];

/** What stands in a page as something to type: in backticks, which a line may break, and in blocks. */
function commandsOf(page: string): string[] {
  const prose = page.replaceAll(/^( *)```[\s\S]*?^ *```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
  return [...spans, ...shellBlocks(page).flatMap((block) => block.split('\n'))];
}

function named(page: string, pattern: RegExp): string[] {
  return commandsOf(text(page)).flatMap((command) =>
    [...command.matchAll(pattern)].map(([, name = '']) => name),
  );
}

const makefile = text('Makefile');
const scripts = Object.keys((JSON.parse(text('package.json')) as { scripts: object }).scripts);

describe.each(PAGES)('%s', (page) => {
  it('names targets and variables of the Makefile', () => {
    for (const target of named(page, /(?:^|[;&|] *)make ([a-z-]+)/g))
      expect(makefile, `make ${target}`).toMatch(new RegExp(`^${target}:`, 'm'));
    for (const variable of named(page, /^make [a-z-]+(?: .*)? ([A-Z]+)=/g))
      expect(makefile, `${variable}=`).toMatch(new RegExp(`^${variable} \\?=`, 'm'));
  });

  it("names scripts of npm's", () => {
    for (const script of named(page, /npm run (?:--silent )?([a-z:]+)/g)) expect(scripts).toContain(script);
    if (commandsOf(text(page)).some((command) => /npm test/.test(command))) expect(scripts).toContain('test');
  });

  it('names what can be done to a host of the lab', () => {
    const words = named(page, /\bDO=([a-z-]+)/g).filter((word) => word !== 'word');
    for (const word of words) expect(actionList()).toMatch(new RegExp(`^ *${word}\\b`, 'm'));
  });

  it('leads to files that are there', () => {
    const links = [...text(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((one) => !/^[a-z]+:/.test(one)))
      expect(existsSync(path.join(project, path.dirname(page), link)), link).toBe(true);
    for (const file of named(
      page,
      /(?:^| )((?:docs|plugin|deploy|test|lab|simulator)\/[\w./-]*\w\.\w+)(?:$|[ :])/g,
    ))
      expect(existsSync(path.join(project, file)), file).toBe(true);
  });
});

it('no page is left out', () => {
  const listed = new Set(PAGES);
  for (const [, link = ''] of text('README.md').matchAll(/\]\((docs\/[^)#]+\.md)/g))
    expect(listed).toContain(link);
});

it('the lab has a word for every row of its table', () => {
  const rows = [...text('docs/lab.md').matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) +\|/gm)];
  const words = rows.flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z-]+)`/g)].map(([, word = '']) => word),
  );
  expect(words.length).toBeGreaterThan(5);
  for (const word of words) expect(actionList()).toMatch(new RegExp(`^ *${word}\\b`, 'm'));
});
