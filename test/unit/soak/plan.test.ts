import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Act, healing, planOf } from '../../../lab/soak/plan.ts';

const field = { hosts: 3, volumes: ['a', 'b'] };
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

function isDown(acts: readonly Act[], host: number): boolean {
  const last = acts.findLast(
    (act) => 'host' in act && act.host === host && /^(power-off|boot|freeze|thaw)$/.test(act.kind),
  );
  return last?.kind === 'power-off' || last?.kind === 'freeze';
}

describe('planOf', () => {
  it('decides the same for the same seed, and otherwise for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(planOf(seed, 40, field)).toEqual(planOf(seed, 40, field));
      }),
      { numRuns: 20 },
    );
    expect(planOf(1, 40, field)).not.toEqual(planOf(2, 40, field));
  });

  it('never has two hosts down at once, nor asks anything of one that is', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = planOf(seed, 120, field);
        plan.forEach((act, index) => {
          const before = plan.slice(0, index);
          const down = [1, 2, 3].filter((host) => isDown(before, host));
          expect(down.length).toBeLessThanOrEqual(1);
          if ('host' in act && down.includes(act.host)) expect(['boot', 'thaw']).toContain(act.kind);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('comes to every kind of act within some hundred steps', () => {
    const kinds = new Set(planOf(7, 1500, field).map(({ kind }) => kind));
    expect(kinds.size).toBe(18);
  });
});

describe('healing', () => {
  it('undoes just what is still wrong', () => {
    const acts: Act[] = [
      { kind: 'power-off', host: 1 },
      { kind: 'boot', host: 1 },
      { kind: 'cut-storage', host: 2 },
      { kind: 'freeze', host: 3 },
      { kind: 'silence-sdc', host: 1 },
      { kind: 'kill-array' },
    ];
    expect(healing(acts, field)).toEqual([
      { kind: 'start-array' },
      { kind: 'restore-storage', host: 2 },
      { kind: 'thaw', host: 3 },
    ]);
  });

  it('leaves nothing to be healed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = planOf(seed, 60, field);
        expect(healing([...plan, ...healing(plan, field)], field)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
