import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { judgeMultipath } from '../../../src/doctor/multipath-check.ts';
import { readMultipath } from '../../../src/apps/multipath-facts.ts';

it.each([
  ['says nothing', ''],
  ['blacklists other devices', 'blacklist {\n  devnode "^sd[a-z]"\n}'],
  ['has it in a comment', 'blacklist {\n # devnode "^scini"\n}'],
  ['has it in an exception', 'blacklist_exceptions { devnode "^scini" }'],
  ['excludes all but them', 'blacklist { devnode "!^scini" }'],
])('warns of a multipathd whose configuration %s', (_what, text) => {
  expect(judgeMultipath({ runs: true, configuration: [text] })).toMatchObject({
    severity: 'warning',
    fix: expect.stringContaining('blacklist { devnode "^scini" }') as string,
  });
});

it.each([
  'defaults { user_friendly_names yes }\nblacklist {\n  devnode "^scini[a-z]*"\n}',
  'blacklist { device { vendor "X" product "Y" }\n devnode "^(ram|scini)" }',
  'blacklist { devnode ".*" }',
  'blacklist { devnode "!^(sd[a-z]|nvme[0-9])" }',
])('is content with %j', (text) => {
  expect(judgeMultipath({ runs: true, configuration: ['', text] }).severity).toBe('ok');
});

it('reads who runs and every file of the configuration', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'multipath-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const places = { proc: path.join(root, 'proc'), etc: [path.join(root, 'none'), path.join(root, 'etc')] };
  expect(judgeMultipath(await readMultipath(places)).severity).toBe('ok');
  await mkdir(path.join(root, 'proc/12'), { recursive: true });
  await writeFile(path.join(root, 'proc/12/comm'), 'multipathd\n');
  expect(judgeMultipath(await readMultipath(places)).severity).toBe('warning');
  await mkdir(path.join(root, 'etc/multipath/conf.d'), { recursive: true });
  await writeFile(path.join(root, 'etc/multipath.conf'), 'defaults {}\n');
  await writeFile(path.join(root, 'etc/multipath/conf.d/scini.conf'), 'blacklist { devnode "^scini" }\n');
  expect(judgeMultipath(await readMultipath(places)).severity).toBe('ok');
});
