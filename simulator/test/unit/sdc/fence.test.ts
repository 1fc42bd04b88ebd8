import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { heldFile, isAllowed, isHeld, removeStaleHeldFiles } from '../../../src/sdc/fence.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fence-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('only the GUIDs of the fence file are allowed, and nobody without one', async () => {
  expect(await isAllowed(dir, 'v', 'A')).toBe(false);
  writeFileSync(join(dir, 'v'), JSON.stringify({ volumeId: 'v', allowed: ['A'] }));
  expect(await isAllowed(dir, 'v', 'A')).toBe(true);
  expect(await isAllowed(dir, 'v', 'B')).toBe(false);
});

test('a file without a process behind it holds nothing, and asking does not make one', async () => {
  const file = heldFile(dir, 'v', 'A');
  expect(await isHeld(file)).toBe(false);
  expect(await readdir(dir)).toEqual([]);
  writeFileSync(file, '0\n');
  expect(await isHeld(file)).toBe(false);
});

test('stale files of this SDC are removed, those of others stay', async () => {
  writeFileSync(heldFile(dir, 'v', 'A'), '0\n');
  writeFileSync(heldFile(dir, 'v', 'B'), '0\n');
  await removeStaleHeldFiles(dir, 'A');
  expect(await readdir(dir)).toEqual(['v.B.held']);
});
