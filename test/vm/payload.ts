import { copyFile, cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { bundle, bundleProgram } from '../../plugin/bundle.ts';
import { startSimulator } from 'scaleio-simulator';
import { buildDrvCfg, buildScini } from 'scaleio-simulator/sdc-programs';

const project = path.resolve(import.meta.dirname, '../..');

/**
 * Makes the directory that a machine has as /run/payload: the guest's programs, the plugin's program and units, laid out as in these
 * sources, and the simulated array's state and its SDC's programs.
 */
export async function makePayload(directory: string): Promise<void> {
  const inside = (name: string): string => path.join(directory, name);
  await mkdir(inside('dist'), { recursive: true });
  for (const name of ['agent', 'ledger'])
    await bundle(path.join(import.meta.dirname, `guest/${name}.ts`), inside(`${name}.cjs`));
  await bundleProgram();
  await copyFile(
    path.join(project, 'dist/docker-volume-scaleio.cjs'),
    inside('dist/docker-volume-scaleio.cjs'),
  );
  await cp(path.join(project, 'plugin/systemd'), inside('plugin/systemd'), { recursive: true });
  await Promise.all([
    buildScini(inside('sdc/scini')),
    buildDrvCfg(inside('sdc/drv_cfg')),
    makeArray(inside('array')),
  ]);
}

/** An array that has run before has its certificate, whose keys take long to make. */
async function makeArray(directory: string): Promise<void> {
  const array = await startSimulator({ dir: directory, gateways: [{ host: '127.0.0.1', tls: true }] });
  await array.close();
}
