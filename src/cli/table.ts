import { styleText } from 'node:util';
import type { Screen } from './screen.ts';

export interface Column {
  readonly heading: string;
  /** Words, which are shortened where the terminal is too narrow; figures never are. */
  readonly isWords?: true;
}

const CHARACTERS = new Intl.Segmenter();
const GAP = '  ';
/** Of a shortened column, at least, so that its beginning can still be told from others. */
const LEAST_WIDTH = 8;

/**
 * Rows below headings, a line each. Where the terminal is too narrow, the widest words are shortened, and end in …; what is still too long then
 * goes on in the next line. Where there is none, everything is whole.
 */
export function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { columns: room, isColoured }: Screen,
): string {
  const headings = columns.map(({ heading }) => heading);
  const table = [headings, ...rows];
  const natural = headings.map((_, column) => Math.max(...table.map((row) => widthOf(row[column]))));
  const widths = room === undefined ? natural : fitting(natural, columns, room);
  const lines = table.map((row) => lineOf(row, widths));
  const [first = '', ...others] = lines;
  const heading = isColoured ? styleText('bold', first, { validateStream: false }) : first;
  return `${[heading, ...others].join('\n')}\n`;
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return widths
    .map((width, column) => {
      const cell = shortened(row[column] ?? '', width);
      return cell + ' '.repeat(width - widthOf(cell));
    })
    .join(GAP)
    .trimEnd();
}

/** The widths made smaller, a column of words at a time, until they fit or no column can give way any more. */
function fitting(natural: readonly number[], columns: readonly Column[], room: number): readonly number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  while (total() > room) {
    let widest: number | undefined;
    columns.forEach(({ heading, isWords }, column) => {
      const width = widths[column] ?? 0;
      if (isWords !== true || width <= Math.max(LEAST_WIDTH, widthOf(heading))) return;
      if (widest === undefined || width > (widths[widest] ?? 0)) widest = column;
    });
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${charactersOf(text)
    .slice(0, width - 1)
    .join('')}…`;
}

function widthOf(text = ''): number {
  return charactersOf(text).length;
}

/** As a reader counts them. */
function charactersOf(text: string): readonly string[] {
  return [...CHARACTERS.segment(text)].map(({ segment }) => segment);
}
