import * as z from 'zod';
import type { EngineContainer, EngineFacts, EnginePlugin } from './engine-check.ts';

/** GET at the engine's API. */
export type AskEngine = (path: string, signal: AbortSignal) => Promise<unknown>;

const text = z
  .string()
  .nullish()
  .transform((word) => word ?? '');
const mountsSchema = z
  .array(z.object({ Type: text, Name: text, Driver: text }))
  .nullish()
  .transform((mounts) =>
    (mounts ?? [])
      .filter(({ Type }) => Type === 'volume')
      .map(({ Name: volume, Driver: driver }) => ({ volume, driver })),
  );
const pluginSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Enabled: z.boolean(),
  Settings: z.object({ Env: z.array(z.string()).nullish() }).nullish(),
});
const containerSchema = z.object({ Names: z.array(z.string()).nullish(), State: text, Mounts: mountsSchema });
const versionSchema = z.object({ Version: z.string() });

/** What the engine's API tells [moby: /version, /plugins, /containers/json]. Rejects with what is wrong with the answers. */
export async function readEngineFacts(ask: AskEngine, signal: AbortSignal): Promise<EngineFacts> {
  const [version, plugins, containers] = await Promise.all(
    ['/version', '/plugins', '/containers/json?all=1'].map((path) => ask(path, signal)),
  );
  return {
    version: versionSchema.parse(version).Version,
    plugins: z.array(pluginSchema).parse(plugins).map(pluginOf),
    containers: z
      .array(containerSchema)
      .parse(containers)
      .map(({ Names, State, Mounts: mounts }) => ({
        name: (Names?.[0] ?? '').replace(/^\//, ''),
        running: State === 'running',
        mounts,
      })),
  };
}

/** Settings of the managed plugin of this name, as `docker plugin inspect` shows them; undefined when there is none. */
export async function readPluginSettings(
  ask: AskEngine,
  driver: string,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly env: Record<string, string> } | undefined> {
  const plugins = z.array(pluginSchema).parse(await ask('/plugins', signal));
  const found = plugins.find(({ Name }) => Name === driver || Name === `${driver}:latest`);
  if (found === undefined) return undefined;
  const pairs = (found.Settings?.Env ?? []).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  const env = Object.fromEntries(pairs.filter(([name]) => name.startsWith('SCALEIO_')));
  return { id: found.Id, env };
}

function pluginOf({ Id: id, Name: name, Enabled: enabled }: z.output<typeof pluginSchema>): EnginePlugin {
  return { id, name, enabled };
}

const lineSchema = z.object({
  version: z.string().optional(),
  plugin: z.object({ id: z.string(), name: z.string(), enabled: z.boolean() }).optional(),
  container: z.object({ name: z.string(), running: z.boolean(), mounts: mountsSchema }).optional(),
});

/**
 * The same, a fact a line, as the host's command collects it with the docker command where the engine's socket cannot be
 * seen. Throws when a line is something else.
 */
export function parseEngineFacts(lines: string): EngineFacts {
  const facts = lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => lineSchema.parse(JSON.parse(line)));
  return {
    version: facts.find(({ version }) => version !== undefined)?.version ?? 'unknown',
    plugins: facts.flatMap(({ plugin }) => plugin ?? []),
    containers: facts.flatMap(({ container }): EngineContainer[] =>
      container === undefined ? [] : [{ ...container, name: container.name.replace(/^\//, '') }],
    ),
  };
}
