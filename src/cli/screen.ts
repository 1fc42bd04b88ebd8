import type { ProcessIo } from './process-io.ts';

/** How what is printed is shown. */
export interface Screen {
  /** Of the terminal; undefined where a program or a file reads it, which gets everything whole. */
  readonly columns: number | undefined;
  readonly isColoured: boolean;
}

/** For who has asked a terminal for none (https://no-color.org) or has one that knows none. */
export function screenOf({ stdout, env }: Pick<ProcessIo, 'stdout' | 'env'>): Screen {
  if (stdout.isTTY !== true) return { columns: undefined, isColoured: false };
  const { columns = 0 } = stdout;
  const isColoured = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return { columns: columns > 0 ? columns : 80, isColoured };
}
