import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Below a host's Docker directory are containers' files, and below an array's its volumes. */
const WITHOUT_LOGS = ['overlay2', 'volumes', 'array', 'registry'];

/**
 * Keeps the logs (*.log) below a directory that is about to be removed where run-tests.ts wants them, to search them; does
 * nothing when tests are run in another way.
 */
export async function keepLogs(directory: string): Promise<void> {
  const wanted = process.env['TEST_LOGS'];
  if (wanted === undefined) return;
  const target = path.join(wanted, path.basename(directory));
  await mkdir(target, { recursive: true });
  const passed = WITHOUT_LOGS.flatMap((name) => ['-o', '-type', 'd', '-name', name]).slice(1);
  const logs = ['-type', 'f', '-name', '*.log', '-size', '+0', '-print0'];
  const { stdout } = await execa('find', ['.', '-xdev', '(', ...passed, ')', '-prune', '-o', ...logs], {
    cwd: directory,
  });
  const copy = ['cp', '--parents', '--target-directory', target];
  if (stdout !== '') await execa('xargs', ['--null', ...copy], { cwd: directory, input: stdout });
}
