import { describe, expect, it } from 'vitest';
import { doneOf, ProgressWatch } from '../../../../src/steward/capacity/progress.ts';

describe('progress', () => {
  it('is counted from the most that was left, and begins anew when all was done', () => {
    const watch = new ProgressWatch();
    const done = (left: number): number | undefined => {
      const progress = watch.observe(left);
      return progress === undefined ? undefined : doneOf(progress);
    };
    expect([0, 100, 400, 100, 200, 0, 50, 25].map(done)).toEqual([
      ...[undefined, 0, 0, 0.75, 0.5],
      ...[undefined, 0, 0.5],
    ]);
  });
});
