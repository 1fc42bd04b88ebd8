import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const project = path.resolve(import.meta.dirname, '../..');

/** The last state of main in which the product knew no growth, snapshots, clones, trash, views nor classes. */
const BEFORE_DATA_SERVICES = 'd96b248635ece872adb1ed8eb36c2275b5227fe9';

/** Whether this clone has the history that the older build is made of; a shallow one has not. */
export async function hasOlderBuild(): Promise<boolean> {
  const looked = await execa('git', ['cat-file', '-e', `${BEFORE_DATA_SERVICES}^{commit}`], {
    cwd: project,
    reject: false,
  });
  return looked.exitCode === 0;
}

/**
 * The program as it was before the data services, in one file. Made once, from this clone's history, with today's dependencies. Rejects
 * where the history is not there: then `git fetch --unshallow` brings it.
 */
export async function olderBuild(): Promise<string> {
  const place = path.join(project, '.cache/older-build');
  const made = path.join(place, BEFORE_DATA_SERVICES);
  const program = path.join('dist', 'docker-volume-scaleio.cjs');
  if (existsSync(path.join(made, program))) return path.join(made, program);
  if (!(await hasOlderBuild()))
    throw new Error(
      `this clone lacks commit ${BEFORE_DATA_SERVICES}, which the older build is made of: it is shallow; run git fetch --unshallow`,
    );
  await mkdir(place, { recursive: true });
  // Files of tests that run side by side may both want it.
  const unfinished = await mkdtemp(path.join(place, 'unfinished-'));
  await execa(
    'sh',
    ['-c', 'git archive "$1" | tar --extract --directory "$2"', 'sh', BEFORE_DATA_SERVICES, unfinished],
    {
      cwd: project,
    },
  );
  await symlink(path.join(project, 'node_modules'), path.join(unfinished, 'node_modules'));
  await execa(process.execPath, ['plugin/bundle.ts'], { cwd: unfinished });
  try {
    await rename(unfinished, made);
  } catch (cause) {
    if (!existsSync(path.join(made, program))) throw cause;
    await rm(unfinished, { recursive: true });
  }
  return path.join(made, program);
}
