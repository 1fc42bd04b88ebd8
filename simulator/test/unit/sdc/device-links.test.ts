import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DeviceLinks, deviceLetters } from '../../../src/sdc/device-links.ts';

let devDir: string;
let links: DeviceLinks;
beforeEach(() => {
  devDir = mkdtempSync(join(tmpdir(), 'links-'));
  links = new DeviceLinks({ devDir, naming: 'loop' });
});
afterEach(() => {
  rmSync(devDir, { recursive: true });
});

test.each([
  [0, 'a'],
  [25, 'z'],
  [26, 'aa'],
  [27, 'ab'],
  [701, 'zz'],
  [702, 'aaa'],
])('device %i is scini%s', (n, letters) => {
  expect(deviceLetters(n)).toBe(letters);
});

test('a link bears the ids of system and volume, as every client looks for it', async () => {
  await links.clear();
  const link = links.path('218ce1797566a00f', '6c33633100000009');
  await links.add(link, 'loop7');
  expect(readdirSync(links.byId)).toEqual(['emc-vol-218ce1797566a00f-6c33633100000009']);
  expect(readlinkSync(link)).toMatch(/^\.\.\/.*dev\/loop7$/);
  expect(/^emc-vol-\w*-\w*$/.test(readdirSync(links.byId)[0] ?? '')).toBe(true);
});

test('a new device takes the place of an old link', async () => {
  await links.clear();
  const link = links.path('a', 'b');
  await links.add(link, 'loop7');
  await links.add(link, 'loop8');
  expect(readlinkSync(link)).toMatch(/loop8$/);
  await links.remove(link);
  await links.remove(link);
  expect(readdirSync(links.byId)).toEqual([]);
});

test('clearing leaves what other devices have there', async () => {
  mkdirSync(links.byId, { recursive: true });
  symlinkSync('../../sda', join(links.byId, 'ata-DISK_1'));
  symlinkSync('../../loop1', join(links.byId, 'emc-vol-a-b'));
  writeFileSync(join(links.byId, '.scini'), '');
  await links.clear();
  expect(readdirSync(links.byId).sort()).toEqual(['.scini', 'ata-DISK_1']);
});
