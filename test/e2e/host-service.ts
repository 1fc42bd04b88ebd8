import path from 'node:path';
import { bundleFile, bundleProgram } from '../../plugin/bundle.ts';
import { type LabArray, startArray } from '../../lab/hosts/array.ts';
import type { ArrayOptions } from '../../lab/hosts/plan.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { PluginLog } from '../../lab/stage/plugin-log.ts';
import { type ArrayStage, bareStage, stageSettings } from '../../lab/stage/stage.ts';

const project = path.resolve(import.meta.dirname, '../..');
const node = path.join(project, 'node_modules/node/bin/node');
const activation = path.join(import.meta.dirname, 'socket-activation.pl');

/** Where engines look for the host service. */
export const pluginSocket = '/run/docker/plugins/scaleio.sock';

/** A host on which the plugin is a service of the host, started by the first connection to its socket. `settings`: besides where the array is. */
export async function hostServiceStage(
  options: ArrayOptions = {},
  settings: Readonly<Record<string, string>> = stageSettings,
): Promise<ArrayStage> {
  await bundleProgram();
  const stage = await bareStage();
  try {
    const array = await startArray(stage.lab, options);
    return { ...stage, array, log: await startHostService(stage.host, array, settings) };
  } catch (error) {
    await stage.close();
    throw error;
  }
}

/** Setting under which a service logs each call; besides that it has the defaults. */
export const loggingAll = { SCALEIO_LOG_LEVEL: 'debug' } as const;

/** The program as a command on the host, with the settings of the service. */
export function serviceCommand(array: LabArray): readonly string[] {
  const environment = Object.entries(settingsFor(array)).map(([name, value]) => `${name}=${value}`);
  return ['env', ...environment, node, bundleFile];
}

function settingsFor({ endpoint, user, password }: LabArray): Readonly<Record<string, string>> {
  return { SCALEIO_ENDPOINT: endpoint, SCALEIO_USERNAME: user, SCALEIO_PASSWORD: password };
}

/** Makes the socket, as systemd does before it starts the engine; returns the log of all lives of the service. */
async function startHostService(
  host: Host,
  array: LabArray,
  more: Readonly<Record<string, string>>,
): Promise<PluginLog> {
  const settings = { ...settingsFor(array), ...more };
  const environment = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const program = ['env', ...environment, node, bundleFile, 'serve', '--socket', pluginSocket];
  await host.start('plugin', ['perl', activation, pluginSocket, ...program]);
  await until('the socket of the plugin', () => host.exec(['test', '-S', pluginSocket]).then(() => true));
  return new PluginLog(`${host.directory}/plugin.log`);
}
