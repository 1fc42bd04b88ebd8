import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import {
  CommandError,
  createRunner,
  MissingProgramError,
  stderrTail,
  type RunReport,
} from '../../../src/host/run.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

describe('createRunner', () => {
  const never = new AbortController().signal;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'run-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const runner = () => createRunner({ directories: [directory], killAfterMs: 100, abandonAfterMs: 400 });
  async function program(name: string, script: string): Promise<string> {
    const file = path.join(directory, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  }

  it('tells its observer how each program ended, without arguments', async () => {
    const reports: RunReport[] = [];
    const observed = createRunner({
      directories: [directory],
      killAfterMs: 100,
      observer: (report) => reports.push(report),
    });
    await program('tool', 'exit 3');
    await program('sleeper', 'exec sleep 60');
    await observed.run('tool', ['secret'], { signal: never });
    await expect(observed.run('sleeper', [], { signal: AbortSignal.timeout(50) })).rejects.toThrow(
      CancelledError,
    );
    await expect(observed.run('absent', [], { signal: never })).rejects.toThrow(MissingProgramError);
    expect(reports.map(({ program: name, outcome, exitCode }) => [name, outcome, exitCode])).toEqual([
      ['tool', 'exited', 3],
      ['sleeper', 'cancelled', undefined],
      ['absent', 'failed', undefined],
    ]);
    expect(JSON.stringify(reports)).not.toContain('secret');
  });

  it('hands back output and any exit code', async () => {
    await program('tool', 'echo "out $1"; echo err >&2; exit 3');
    expect(await runner().run('tool', ['a b;c'], { signal: never })).toEqual({
      stdout: 'out a b;c\n',
      stderr: 'err\n',
      exitCode: 3,
    });
  });

  it('runs an absolute path', async () => {
    const file = await program('tool', 'echo hi');
    expect((await runner().run(file, [], { signal: never })).stdout).toBe('hi\n');
  });

  it('passes a minimal environment and the input', async () => {
    await program('tool', 'env | cut -d= -f1 | sort | tr "\\n" " "; cat');
    const { stdout } = await runner().run('tool', [], { signal: never, input: 'given' });
    expect(stdout).toMatch(/^(OLDPWD )?LC_ALL PATH PWD (SHLVL )?(_ )?given$/);
  });

  it('names the Debian package of a program that is not there', async () => {
    const attempt = runner().run('mkfs.xfs', [], { signal: never });
    await expect(attempt).rejects.toThrow(MissingProgramError);
    await expect(attempt).rejects.toThrow(
      'mkfs.xfs is not on this host; install the Debian package xfsprogs',
    );
  });

  it('does not look in PATH', async () => {
    await expect(runner().run('sh', [], { signal: never })).rejects.toThrow(MissingProgramError);
  });

  it('ends a program at the signal, also one that ignores SIGTERM', async () => {
    await program('stubborn', 'trap "" TERM; touch "$1"; while :; do sleep 0.05; done');
    const controller = new AbortController();
    const started = path.join(directory, 'started');
    const run = runner().run('stubborn', [started], { signal: controller.signal });
    await vi.waitFor(() => access(started), PATIENT);
    controller.abort();
    await expect(run).rejects.toThrow(CancelledError);
  });

  it('rejects with the CancelledError that the signal carries', async () => {
    await program('tool', 'sleep 5');
    const reason = new CancelledError('the deadline of 100 s passed');
    await expect(runner().run('tool', [], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('does not wait for what a killed program left behind holding its pipes', async () => {
    await program('leaver', 'setsid sleep 3 & touch "$1"; exit 0');
    const controller = new AbortController();
    const started = path.join(directory, 'started');
    const run = runner().run('leaver', [started], { signal: controller.signal });
    await vi.waitFor(() => access(started), PATIENT);
    controller.abort();
    const before = performance.now();
    await expect(run).rejects.toThrow(CancelledError);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it('limits the time of one program', async () => {
    await program('slow', 'exec sleep 5');
    await expect(runner().run('slow', [], { signal: never, timeoutMs: 50 })).rejects.toThrow(
      'slow took longer than 50 ms',
    );
  });

  it('says which signal killed a program', async () => {
    await program('victim', 'kill -SEGV $$');
    await expect(runner().run('victim', [], { signal: never })).rejects.toThrow(
      'victim was killed by SIGSEGV',
    );
  });

  it('rejects with CommandError when the file cannot be started', async () => {
    const file = path.join(directory, 'broken');
    await writeFile(file, '#!/no/such/interpreter\n');
    await chmod(file, 0o755);
    await expect(runner().run('broken', [], { signal: never })).rejects.toThrow(CommandError);
  });
});

describe('stderrTail', () => {
  it('is one line without control characters, the end of what was said', () => {
    expect(stderrTail('first\n\nsecond\u001b[1m\n')).toBe('first; second [1m');
    expect(stderrTail('x'.repeat(500) + 'end')).toMatch(/^…x{156}end$/);
  });
});
