import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { PASSWORD, simulated } from '../gateway/simulated.ts';

/** The command beside no plugin, with these classes. */
async function scene(classes: string) {
  const { simulator } = await simulated();
  const stateDir = await mkdtemp(path.join(tmpdir(), 'classes-command-'));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  return async (...args: readonly string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine({
      argv: ['volume', 'classes', ...args],
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
        SCALEIO_STATE_DIR: stateDir,
        SCALEIO_CLASSES: classes,
      },
      pid: 1,
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      ask: undefined,
      onSignal: () => undefined,
    });
    return { code, out: out.join(''), err: err.join('') };
  };
}

test('classes are listed with what each stands for, for people and for programs', async () => {
  const run = await scene('{"gold": {"type": "ssd", "iops": 5000}, "archive": {"size": "500GiB"}}');
  expect(await run()).toMatchObject({
    code: 0,
    out: 'CLASS    OPTIONS\ngold     pool=ssd iops=5000\narchive  size=500GiB\n',
  });
  expect(JSON.parse((await run('--json')).out)).toEqual([
    { name: 'gold', options: { pool: 'ssd', iops: '5000' } },
    { name: 'archive', options: { size: '500GiB' } },
  ]);
  const none = await scene('');
  expect((await none()).out).toBe('there are no classes; the setting SCALEIO_CLASSES names them\n');
});

test('classes with mistakes are told with all of them', async () => {
  const run = await scene('{"gold": {"iops": 5, "colour": "red"}}');
  const { code, err } = await run();
  expect(code).toBe(1);
  expect(err).toContain('SCALEIO_CLASSES: class "gold": unknown option "colour"');
  expect(err).toContain('SCALEIO_CLASSES: class "gold": iops "5" is not');
});
