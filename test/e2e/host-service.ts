import path from 'node:path';
import { bundleFile, bundleProgram } from '../../plugin/bundle.ts';
import { type LabArray, startArray } from '../../lab/hosts/array.ts';
import type { ArrayOptions } from '../../lab/hosts/plan.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { PluginLog } from '../../lab/stage/plugin-log.ts';
import { type ArrayStage, bareStage } from '../../lab/stage/stage.ts';

const project = path.resolve(import.meta.dirname, '../..');
const node = path.join(project, 'node_modules/node/bin/node');
const activation = path.join(import.meta.dirname, 'socket-activation.pl');

/** Where engines look for the host service. */
export const pluginSocket = '/run/docker/plugins/scaleio.sock';

/** A host on which the plugin is a service of the host, started by the first connection to its socket. */
export async function hostServiceStage(options: ArrayOptions = {}): Promise<ArrayStage> {
  await bundleProgram();
  const stage = await bareStage();
  try {
    const array = await startArray(stage.lab, options);
    return { ...stage, array, log: await startHostService(stage.host, array) };
  } catch (error) {
    await stage.close();
    throw error;
  }
}

/** Makes the socket, as systemd does before it starts the engine; returns the log of all lives of the service. */
async function startHostService(host: Host, array: LabArray): Promise<PluginLog> {
  const settings = {
    SCALEIO_ENDPOINT: array.endpoint,
    SCALEIO_USERNAME: array.user,
    SCALEIO_PASSWORD: array.password,
    SCALEIO_LOG_LEVEL: 'debug',
  };
  const environment = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const program = ['env', ...environment, node, bundleFile, 'serve', '--socket', pluginSocket];
  await host.start('plugin', ['perl', activation, pluginSocket, ...program]);
  await until('the socket of the plugin', () => host.exec(['test', '-S', pluginSocket]).then(() => true));
  return new PluginLog(`${host.directory}/plugin.log`);
}
