import { expect } from 'vitest';
import { explore, type Explored } from './explore.ts';
import { rivals, type Blow, type Rivalry } from './rivals.ts';

/** A blow, for the host with this number. */
const to =
  (host: number) =>
  (blow: Blow): { host: number; blow: Blow } => ({ host, blow });
export const holder = to(1);
export const taker = to(2);

/** The real core on each of two or three hosts, in every order of their calls of the array and of the blows: no fault in any. */
export async function explored(rivalry: Rivalry): Promise<Explored> {
  const found = await explore(() => rivals(rivalry));
  expect(found.faults.slice(0, 3)).toEqual([]);
  expect(found.endings).toBeGreaterThan(1);
  return found;
}
