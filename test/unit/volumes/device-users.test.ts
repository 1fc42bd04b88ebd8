import { describe, expect, it } from 'vitest';
import { describeUsers } from '../../../src/volumes/device-users.ts';

describe('describeUsers', () => {
  it('names process, program and container', () => {
    const containerId = 'ab'.repeat(32);
    expect(
      describeUsers([
        { kind: 'process', pid: 7, program: 'xfs_repair', what: 'has it open' },
        { kind: 'mount', pid: 8, program: 'postgres', containerId, what: 'has it mounted at "/data"' },
        { kind: 'kernel', what: 'the kernel swaps to it' },
      ]),
    ).toBe(
      'process 7 "xfs_repair" has it open, process 8 "postgres" in container abababababab has it mounted at "/data", the kernel swaps to it',
    );
  });

  it('counts those that are too many to name', () => {
    const many = Array.from(
      { length: 9 },
      (_, pid) => ({ kind: 'process', pid, what: 'has it open' }) as const,
    );
    expect(describeUsers(many)).toMatch(/process 4 has it open and 4 more$/);
    expect(describeUsers([])).toBe('nobody uses it');
  });
});
