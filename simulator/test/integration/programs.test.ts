import { execa } from 'execa';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { installDrvCfg } from '../../src/sdc/programs.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sdc-programs-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

test('drv_cfg is put where hosts look for it, and put there again', async () => {
  const file = join(await folder(), 'opt/emc/scaleio/sdc/bin/drv_cfg');
  await installDrvCfg(file);
  const { ino } = await stat(file);
  await installDrvCfg(file);
  expect((await stat(file)).ino).not.toBe(ino);
  const { stderr } = await execa(file, [], { reject: false });
  expect(stderr).toContain('Usage: drv_cfg');
});

test('the program of a real SDC stays as it is', async () => {
  const file = join(await folder(), 'drv_cfg');
  await writeFile(file, 'a real one');
  await expect(installDrvCfg(file)).rejects.toThrow('give --drv-cfg another path');
  expect(await readFile(file, 'utf8')).toBe('a real one');
});
