import { type LabArray, startArray } from '../hosts/array.ts';
import type { ArrayOptions } from '../hosts/plan.ts';
import type { EngineVersion } from '../hosts/engine.ts';
import type { Host } from '../hosts/host.ts';
import { importBusybox } from '../hosts/image.ts';
import { createLab, type Lab } from '../hosts/lab.ts';
import { installPlugin, publishPlugin } from '../hosts/scaleio-plugin.ts';
import { builtPlugin } from '../../plugin/built.ts';
import { PluginLog } from './plugin-log.ts';

/** A lab whose hosts have the busybox image; the engines' logs hold the plugin's. */
export interface Stage {
  readonly lab: Lab;
  /** The first host. */
  readonly host: Host;
  /** Of the plugin on the first host. */
  readonly log: PluginLog;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly hosts?: number;
  readonly engine?: EngineVersion;
  /** More arguments for dockerd. */
  readonly engineArguments?: readonly string[];
  /** Settings of the plugin besides where the array is. */
  readonly plugin?: Readonly<Record<string, string>>;
}

/** Hosts without an array and without the plugin. Nothing stays when this rejects. */
export async function bareStage({
  hosts = 1,
  engine = '20.10',
  engineArguments = [],
}: StageOptions = {}): Promise<Stage> {
  const ownArguments = ['--log-level=info', ...engineArguments];
  const lab = await createLab({ hosts, engines: [engine], engineArguments: ownArguments });
  try {
    await Promise.all(lab.hosts.map(importBusybox));
    const host = lab.host(1);
    return { lab, host, log: engineLog(host), close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

export interface ArrayStage extends Stage {
  readonly array: LabArray;
}

interface PluginOptions {
  /** Settings of the plugin on every host. */
  readonly plugin?: Readonly<Record<string, string>>;
}

/** Hosts with a simulated array, and with the managed plugin installed from the lab's registry, logging every call. */
export async function pluginStage(
  options: StageOptions & ArrayOptions & PluginOptions = {},
): Promise<ArrayStage> {
  const directory = await builtPlugin();
  const stage = await bareStage(options);
  try {
    const [published, array] = await Promise.all([
      publishPlugin(stage.lab, directory),
      startArray(stage.lab, options),
    ]);
    const settings = { ...stageSettings, ...options.plugin };
    for (const host of stage.lab.hosts) await installPlugin(host, array, published, settings);
    return { ...stage, array };
  } catch (error) {
    await stage.close();
    throw error;
  }
}

/**
 * Settings of a plugin on a stage: it logs each call of the engine, and what is removed is gone, so that whatever is left over on array or host
 * is seen. What removal does by default is for tests that say so.
 */
export const stageSettings = { SCALEIO_LOG_LEVEL: 'debug', SCALEIO_REMOVE_GRACE: '0' } as const;

/** The plugin's log on a host where it is a managed one. */
export function engineLog(host: Host): PluginLog {
  return new PluginLog(`${host.directory}/dockerd.log`);
}
