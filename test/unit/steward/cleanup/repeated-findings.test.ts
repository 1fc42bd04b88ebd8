import { expect, test } from 'vitest';
import { RepeatedFindings } from '../../../../src/steward/cleanup/repeated-findings.ts';
import { MovedClock } from './scene.ts';

function watched() {
  const clock = new MovedClock();
  return { clock, findings: new RepeatedFindings(clock) };
}

test('what is seen again and again is counted, and timed from the first time to the last', () => {
  const { clock, findings } = watched();
  for (let round = 0; round < 3; round += 1) {
    findings.observe(['a']);
    clock.advance(1000);
  }
  expect(findings.of('a')).toEqual({ rounds: 3, forMs: 2000 });
  expect(findings.of('b')).toEqual({ rounds: 0, forMs: 0 });
});

test('what is missing once begins anew', () => {
  const { clock, findings } = watched();
  findings.observe(['a', 'b']);
  clock.advance(1000);
  findings.observe(['b']);
  clock.advance(1000);
  findings.observe(['a', 'b']);
  expect(findings.of('a')).toEqual({ rounds: 1, forMs: 0 });
  expect(findings.of('b')).toEqual({ rounds: 3, forMs: 2000 });
});

test('a reading that failed ends the row, not the time', () => {
  const { clock, findings } = watched();
  findings.observe(['a']);
  clock.advance(1000);
  findings.lostSight();
  expect(findings.of('a')).toEqual({ rounds: 0, forMs: 0 });
  findings.observe(['a']);
  expect(findings.of('a')).toEqual({ rounds: 1, forMs: 1000 });
});

test('a wall clock that jumps makes nothing older', () => {
  const { clock, findings } = watched();
  findings.observe(['a']);
  clock.jump(1e12);
  expect(findings.of('a').forMs).toBe(0);
});
