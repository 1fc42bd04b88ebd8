import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { EventStreams } from '../../../../src/steward/api/events.ts';
import { NamePattern } from '../../../../src/steward/api/name-pattern.ts';
import type { Grant } from '../../../../src/steward/api/tokens.ts';
import type { AuditRecord, News } from '../../../../src/steward/ports.ts';

const grant = (name: string, ...volumes: string[]): Grant => ({
  name,
  role: 'viewer',
  volumes: new NamePattern(volumes),
  pools: new NamePattern([]),
  perMinute: 600,
});
const asked = (...volumes: string[]) =>
  ({
    event: 'audit',
    at: '',
    action: 'grow-volume',
    target: '',
    outcome: 'done',
    why: '',
    by: 'x',
    volumes,
  }) satisfies {
    event: 'audit';
  } & AuditRecord;
const cleaned = {
  event: 'audit',
  at: '',
  action: 'remove-volume',
  target: '"x"',
  outcome: 'done',
  why: '',
} as const;
const level: { event: 'news' } & News = { event: 'news', at: '', kind: 'level', level: 'warn', text: 'warn' };

class Stream extends EventEmitter {
  readonly written: string[] = [];
  isEnded = false;
  isDestroyed = false;
  writableLength = 0;

  write(text: string): boolean {
    this.written.push(text);
    return true;
  }

  end(): this {
    this.isEnded = true;
    this.emit('close');
    return this;
  }

  destroy(): this {
    this.isDestroyed = true;
    this.emit('close');
    return this;
  }

  get ids(): string[] {
    return this.written.flatMap((text) => /^id: (\S+)/.exec(text)?.[1] ?? []);
  }
}

function scene() {
  let now = 0;
  const streams = new EventStreams({ elapsed: () => now, run: 'run' });
  const listen = (who: Grant, lastId?: string): Stream => {
    const stream = new Stream();
    // The streams write, end and listen, no more.
    streams.add(who, stream as unknown as Parameters<EventStreams['add']>[1], lastId);
    return stream;
  };
  return { streams, listen, pass: (ms: number) => (now += ms) };
}

describe('EventStreams', () => {
  it('tells each what its token may see', () => {
    const { streams, listen } = scene();
    const all = listen(grant('all', '*'));
    const orders = listen(grant('orders', 'orders*'));
    for (const event of [asked('orders'), asked('orders', 'stock'), cleaned, level]) streams.tell(event);
    expect(all.ids).toEqual(['run-1', 'run-2', 'run-3', 'run-4']);
    expect(orders.ids).toEqual(['run-1', 'run-4']);
  });

  it('tells who comes again what he has missed, and all that is kept to who comes from another run', () => {
    const { streams, listen } = scene();
    for (let count = 0; count < 210; count += 1) streams.tell(level);
    expect(listen(grant('a', '*'), 'run-208').ids).toEqual(['run-209', 'run-210']);
    expect(listen(grant('b', '*'), 'former-208').ids).toHaveLength(200);
    expect(listen(grant('c', '*')).ids).toEqual([]);
  });

  it('ends a stream after five minutes, and one whose listener takes nothing', () => {
    const { streams, listen, pass } = scene();
    const [long, stalled] = [listen(grant('a', '*')), listen(grant('b', '*'))];
    stalled.writableLength = 65 * 1024;
    streams.tell(level);
    expect([long.isDestroyed, stalled.isDestroyed]).toEqual([false, true]);
    pass(5 * 60_000 - 1);
    streams.beat();
    expect(long.isEnded).toBe(false);
    pass(1);
    streams.beat();
    expect(long.isEnded).toBe(true);
  });

  it('has room for eight of one token, and again when one has gone', () => {
    const { streams, listen } = scene();
    const one = grant('one', '*');
    const open = Array.from({ length: 8 }, () => listen(one));
    expect(() => {
      streams.assertRoom(one);
    }).toThrow('too many listen');
    streams.assertRoom(grant('other', '*'));
    open[0]?.end();
    streams.assertRoom(one);
  });
});
