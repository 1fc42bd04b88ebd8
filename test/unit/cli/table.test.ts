import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { screenOf } from '../../../src/cli/screen.ts';
import { tableOf, type Column } from '../../../src/cli/table.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isWords: true },
  { heading: 'SIZE' },
  { heading: 'HELD BY', isWords: true },
];
const PIPE = { columns: undefined, isColoured: false };
const at = (columns: number) => ({ columns, isColoured: false });
const ROWS = [
  ['db', '1.5 TiB', 'node-with-a-long-name.example.com (10.0.0.1)'],
  ['accounts-of-the-north', '8 GiB', '-'],
];

describe('a table', () => {
  it('is whole where a program reads it', () => {
    expect(tableOf(COLUMNS, ROWS, PIPE)).toBe(
      [
        'NAME                   SIZE     HELD BY',
        'db                     1.5 TiB  node-with-a-long-name.example.com (10.0.0.1)',
        'accounts-of-the-north  8 GiB    -',
        '',
      ].join('\n'),
    );
  });

  it('has its widest words shortened until it fits the terminal, and says so', () => {
    expect(tableOf(COLUMNS, ROWS, at(60))).toBe(
      [
        'NAME                   SIZE     HELD BY',
        'db                     1.5 TiB  node-with-a-long-name.examp…',
        'accounts-of-the-north  8 GiB    -',
        '',
      ].join('\n'),
    );
    expect(tableOf(COLUMNS, ROWS, at(40)).split('\n')[1]).toBe('db              1.5 TiB  node-with-a-lo…');
  });

  it('is whole where it fits to the letter', () => {
    const [, row = ''] = tableOf(COLUMNS, ROWS, PIPE).split('\n');
    expect(tableOf(COLUMNS, ROWS, at(row.length))).toBe(tableOf(COLUMNS, ROWS, PIPE));
    expect(tableOf(COLUMNS, ROWS, at(row.length - 1))).toContain('…');
  });

  it('never shortens figures, however narrow the terminal', () => {
    const narrow = tableOf(COLUMNS, ROWS, at(5));
    expect(narrow).toContain('1.5 TiB');
    expect(narrow.split('\n')[1]).toBe('db        1.5 TiB  node-wi…');
  });

  it('counts characters as a reader does', () => {
    const rows = [['🇦🇹é', '1', '-']];
    expect(tableOf(COLUMNS, rows, PIPE).split('\n')[1]).toBe('🇦🇹é    1     -');
  });

  it('fits whatever it is given, or has nothing left to shorten', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.constant('8 GiB'), text), { maxLength: 5 }),
        fc.integer({ min: 1, max: 140 }),
        (rows, columns) => {
          const lines = tableOf(COLUMNS, rows, at(columns)).split('\n');
          const widest = Math.max(...lines.map((line) => line.length));
          expect(widest).toBeLessThanOrEqual(Math.max(columns, 8 + 2 + 5 + 2 + 8));
          if (widest < columns) expect(lines.join('')).not.toContain('…');
        },
      ),
    );
  });

  it('has a bold heading where there are colours', () => {
    const [heading, row] = tableOf(COLUMNS, [['db', '8 GiB', '-']], {
      columns: 80,
      isColoured: true,
    }).split('\n');
    expect(heading).toBe('\u001b[1mNAME  SIZE   HELD BY\u001b[22m');
    expect(row).toBe('db    8 GiB  -');
  });
});

describe('the screen', () => {
  const write = (): void => undefined;
  const terminal = { write, isTTY: true, columns: 132 };
  it.each([
    [{ write }, {}, { columns: undefined, isColoured: false }],
    [{ write, isTTY: false, columns: 132 }, {}, { columns: undefined, isColoured: false }],
    [terminal, {}, { columns: 132, isColoured: true }],
    [{ write, isTTY: true }, {}, { columns: 80, isColoured: true }],
    [{ write, isTTY: true, columns: 0 }, {}, { columns: 80, isColoured: true }],
    [terminal, { NO_COLOR: '1' }, { columns: 132, isColoured: false }],
    [terminal, { NO_COLOR: '' }, { columns: 132, isColoured: true }],
    [terminal, { TERM: 'dumb' }, { columns: 132, isColoured: false }],
  ])('%# is what the output says, unless somebody wants no colours', (stdout, env, screen) => {
    expect(screenOf({ stdout, env })).toEqual(screen);
  });
});
