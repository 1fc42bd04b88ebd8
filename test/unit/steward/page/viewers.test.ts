import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { Pulse } from '../../../../src/steward/page/page-data.ts';
import { Viewers } from '../../../../src/steward/page/viewers.ts';

/** A viewer that takes what it is sent while `takes`. */
class Stream extends EventEmitter {
  takes = true;
  readonly sent: string[] = [];
  isDestroyed = false;

  write(text: string): boolean {
    const [, revision = ''] = /"revision":"(\d+)"/.exec(text) ?? [];
    this.sent.push(revision);
    return this.takes;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

function scene() {
  const time = { elapsed: 0, revision: 1 };
  const pulse = () => ({ revision: String(time.revision) }) as Pulse;
  const viewers = new Viewers({ pulse, elapsed: () => time.elapsed });
  const add = (): Stream => {
    const stream = new Stream();
    viewers.add(stream as unknown as ServerResponse);
    return stream;
  };
  const change = (): void => {
    time.revision += 1;
    viewers.pulse();
  };
  return { time, viewers, add, change };
}

test('a viewer that is slow is sent nothing more until it can take it, and then only the latest', () => {
  const { add, change } = scene();
  const [slow, quick] = [add(), add()];
  slow.takes = false;
  for (let count = 0; count < 100; count += 1) change();
  expect(quick.sent).toHaveLength(101);
  expect(slow.sent).toEqual(['1', '2']);
  slow.takes = true;
  slow.emit('drain');
  expect(slow.sent).toEqual(['1', '2', '101']);
  change();
  expect(slow.sent.at(-1)).toBe('102');
});

test('a viewer that takes nothing for a minute is let go', () => {
  const { time, viewers, add, change } = scene();
  const slow = add();
  slow.takes = false;
  change();
  time.elapsed = 60_000;
  change();
  expect(viewers.count).toBe(1);
  time.elapsed = 60_001;
  change();
  expect([viewers.count, slow.isDestroyed]).toEqual([0, true]);
});

test('whoever leaves is forgotten, and all are let go at the end', () => {
  const { viewers, add } = scene();
  const [one, other] = [add(), add()];
  one.emit('error', new Error('broken'));
  expect(viewers.count).toBe(1);
  viewers.close();
  expect([viewers.count, other.isDestroyed, one.isDestroyed]).toEqual([0, true, false]);
});
