import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBootId } from '../../../src/host/boot.ts';

const kernel = '7a0f5b9e-2f0c-4d43-9d7c-3f9b8a0c1d2e';

describe('readBootId', () => {
  let proc: string;
  beforeEach(async () => {
    proc = await mkdtemp(path.join(tmpdir(), 'proc-'));
    await mkdir(path.join(proc, 'sys/kernel/random'), { recursive: true });
    await writeFile(path.join(proc, 'sys/kernel/random/boot_id'), `${kernel}\n`);
  });
  afterEach(() => rm(proc, { recursive: true }));

  /** A first process as proc(5) shows it, started at this tick. */
  async function first(startTicks: number): Promise<void> {
    const before = Array.from({ length: 18 }, () => '0').join(' ');
    await mkdir(path.join(proc, '1'), { recursive: true });
    await writeFile(path.join(proc, '1/stat'), `1 (init) (odd) S ${before} ${startTicks} 0 0\n`);
  }

  it('is another one when the first process was started anew under the same kernel', async () => {
    await first(104);
    const one = await readBootId(500, proc);
    expect(await readBootId(501, proc)).toBe(one);
    await first(99_104);
    expect(await readBootId(500, proc)).toBe(`${kernel}/99104`);
    expect(one).toBe(`${kernel}/104`);
  });

  it('is the kernel’s alone where the host’s first process cannot be seen', async () => {
    expect(await readBootId(500, proc)).toBe(kernel);
    await first(104);
    expect(await readBootId(1, proc)).toBe(kernel);
  });

  it('throws without a boot id', async () => {
    await rm(path.join(proc, 'sys'), { recursive: true });
    await expect(readBootId(500, proc)).rejects.toThrow(/ENOENT/);
  });

  it('is the same twice on this machine', async () => {
    expect(await readBootId(process.pid)).toBe(await readBootId(process.pid));
  });
});
