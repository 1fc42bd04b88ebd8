import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PREFIX = 'scaleio-bench-';
/** Of 128 volumes at once each has a file system's log of 64 MiB. */
const NEEDED_BYTES = 10e9;

/**
 * `make bench`. The benchmark runs in namespaces of its own: when it ends, or is ended, the kernel takes its processes,
 * mounts and devices away with it, so there is nothing to clean up but one directory.
 */
async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('the benchmark mounts volumes: run it as root');
  await removeLeftovers();
  const free = await statfs(tmpdir());
  if (free.bavail * free.bsize < NEEDED_BYTES) {
    throw new Error(`the benchmark's volumes take 10 GB in "${tmpdir()}" while it runs: make room there`);
  }
  const dir = await mkdtemp(path.join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    return await runInside(dir);
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function runInside(dir: string): Promise<number> {
  const own = ['--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork', '--kill-child'];
  const inside = ['unshare', ...own, process.execPath, import.meta.filename, dir];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...inside], { stdio: 'inherit' });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill('SIGKILL'));
  }
  const [code] = await ended;
  return code ?? 130;
}

/** Of runs that were killed themselves. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    const left = path.join(tmpdir(), name);
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    await rm(left, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const [dir] = process.argv.slice(2);
if (dir === undefined) process.exitCode = await main();
// Inside it is the first process of its namespace: with it all others end.
else process.exit(await (await import('./inside.ts')).benchmark(dir));
