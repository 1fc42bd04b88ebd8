import { expect, test } from 'vitest';
import { Sightings } from '../../../src/cleanup/sightings.ts';
import { MovedClock } from './scene.ts';

function watched() {
  const clock = new MovedClock();
  return { clock, sightings: new Sightings(clock) };
}

test('what is seen again and again is counted, and timed from the first time to the last', () => {
  const { clock, sightings } = watched();
  for (let round = 0; round < 3; round += 1) {
    sightings.observe(['a']);
    clock.advance(1000);
  }
  expect(sightings.of('a')).toEqual({ rounds: 3, forMs: 2000 });
  expect(sightings.of('b')).toEqual({ rounds: 0, forMs: 0 });
});

test('what is missing once begins anew', () => {
  const { clock, sightings } = watched();
  sightings.observe(['a', 'b']);
  clock.advance(1000);
  sightings.observe(['b']);
  clock.advance(1000);
  sightings.observe(['a', 'b']);
  expect(sightings.of('a')).toEqual({ rounds: 1, forMs: 0 });
  expect(sightings.of('b')).toEqual({ rounds: 3, forMs: 2000 });
});

test('a reading that failed ends the row, not the time', () => {
  const { clock, sightings } = watched();
  sightings.observe(['a']);
  clock.advance(1000);
  sightings.lostSight();
  expect(sightings.of('a')).toEqual({ rounds: 0, forMs: 0 });
  sightings.observe(['a']);
  expect(sightings.of('a')).toEqual({ rounds: 1, forMs: 1000 });
});

test('a wall clock that jumps makes nothing older', () => {
  const { clock, sightings } = watched();
  sightings.observe(['a']);
  clock.jump(1e12);
  expect(sightings.of('a').forMs).toBe(0);
});
