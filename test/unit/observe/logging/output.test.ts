import { expect, it } from 'vitest';
import { BoundedOutput } from '../../../../src/observe/logging/output.ts';

/** A place of which the test says how many bytes it has room for. */
function slowPlace(limitBytes: number) {
  const place = {
    room: 0,
    gone: false,
    got: '',
    write(bytes: Uint8Array): number | 'never' {
      if (place.gone) return 'never';
      const taken = Math.min(place.room, bytes.length);
      place.room -= taken;
      place.got += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
  };
  const retries: (() => void)[] = [];
  const resumed: number[] = [];
  const output = new BoundedOutput({
    place,
    limitBytes,
    later: (work) => retries.push(work),
    onResumed: (dropped) => resumed.push(dropped),
  });
  const retry = (): void => {
    for (const work of retries.splice(0)) work();
  };
  return { place, output, retries, resumed, retry };
}

it('writes at once where there is room', () => {
  const { place, output, retries } = slowPlace(100);
  place.room = 100;
  output.write('one\n');
  output.write('two\n');
  expect(place.got).toBe('one\ntwo\n');
  expect(retries).toEqual([]);
});

it('keeps what does not fit, whole and in its order, and asks again now and then', () => {
  const { place, output, retries, retry } = slowPlace(100);
  place.room = 6;
  output.write('one\n');
  output.write('two\n');
  output.write('three\n');
  expect(place.got).toBe('one\ntw');
  expect(retries).toHaveLength(1);
  retry();
  expect(retries).toHaveLength(1);
  place.room = 100;
  output.write('four\n');
  expect(place.got).toBe('one\ntw');
  retry();
  expect(place.got).toBe('one\ntwo\nthree\nfour\n');
  expect(retries).toEqual([]);
});

it('drops whole texts above its limit, counts them, and tells how many once they flow again', () => {
  const { place, output, resumed, retry } = slowPlace(10);
  for (let number = 0; number < 9; number += 1) output.write(`no ${number}\n`);
  expect(output.dropped).toBe(7);
  retry();
  expect(resumed).toEqual([]);
  place.room = 1000;
  retry();
  expect(place.got).toBe('no 0\nno 1\n');
  expect(resumed).toEqual([7]);
  output.write('later\n');
  expect(place.got).toBe('no 0\nno 1\nlater\n');
  expect(resumed).toEqual([7]);
  expect(output.dropped).toBe(7);
});

it('takes one text that is longer than its limit, so that none can be lost for ever', () => {
  const { place, output } = slowPlace(4);
  place.room = 100;
  output.write('longer than that\n');
  expect(place.got).toBe('longer than that\n');
});

it('counts what a place will never take, and goes on', () => {
  const { place, output } = slowPlace(100);
  place.gone = true;
  output.write('lost\n');
  place.gone = false;
  place.room = 100;
  output.write('kept\n');
  expect([place.got, output.dropped]).toEqual(['kept\n', 1]);
});

it('hands on what it can at the end, and waits no longer than it is told', () => {
  const { place, output } = slowPlace(100);
  output.write('last\n');
  const before = performance.now();
  output.flush(30);
  expect(performance.now() - before).toBeLessThan(2000);
  expect(place.got).toBe('');
  place.room = 100;
  output.flush(30);
  expect(place.got).toBe('last\n');
});
