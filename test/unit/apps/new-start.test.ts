import { expect, it } from 'vitest';
import { startAnew } from '../../../src/apps/new-start.ts';

const MINUTE_MS = 60_000;

function scene(content?: string) {
  let [ends, uptimeMs] = [0, 10 * MINUTE_MS];
  let file = content;
  const told: string[] = [];
  const ports = {
    dir: '/state',
    bootId: 'boot-1',
    files: {
      read: () => Promise.resolve(file),
      writeAtomic: (_: string, bytes: Uint8Array) => {
        file = new TextDecoder().decode(bytes);
        return Promise.resolve();
      },
    },
    uptimeMs: () => uptimeMs,
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, message: string) => void told.push(message),
    },
    end: () => (ends += 1),
  };
  return {
    ports,
    told,
    ends: () => ends,
    pass: (ms: number) => (uptimeMs += ms),
    file: () => file,
    ask: (more: Partial<typeof ports> = {}) => startAnew('cut off', { ...ports, ...more }),
  };
}

it('ends the program, and not again within ten minutes of the same boot', async () => {
  const { ask, ends, pass, told } = scene();
  await ask();
  expect(ends()).toBe(1);
  pass(10 * MINUTE_MS - 1);
  await ask();
  expect(ends()).toBe(1);
  expect(told.at(-1)).toContain('has not mended it');
  pass(1);
  await ask();
  expect(ends()).toBe(2);
});

it('does so again after a boot, whose uptime begins anew', async () => {
  const { ask, ends } = scene();
  await ask();
  await ask({ bootId: 'boot-2', uptimeMs: () => 1 });
  expect(ends()).toBe(2);
});

it('does not where it cannot be remembered, and does where what is remembered makes no sense', async () => {
  const { ask, ends, ports } = scene();
  await ask({ files: { ...ports.files, writeAtomic: () => Promise.reject(new Error('disk full')) } });
  await ask({ files: { ...ports.files, read: () => Promise.reject(new Error('EIO')) } });
  expect(ends()).toBe(0);
  const damaged = scene('boot-1 soon');
  await damaged.ask();
  expect(damaged.ends()).toBe(1);
});
