import { ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

/** What the Docker engine of this host says about itself, its plugins and who uses volumes. */
export interface EngineFacts {
  readonly version: string;
  readonly plugins: readonly EnginePlugin[];
  readonly containers: readonly EngineContainer[];
}

export interface EnginePlugin {
  readonly id: string;
  /** With tag, as volumes name it. */
  readonly name: string;
  readonly enabled: boolean;
}

export interface EngineContainer {
  readonly name: string;
  readonly running: boolean;
  readonly mounts: readonly { readonly volume: string; readonly driver: string }[];
}

const NAME = 'Docker engine';
const OLDEST = 20;

/** The engine of this host. `driver`: the plugin's name without tag. `readMounted`: see judgePins. */
export function engineCheck(
  read: (signal: AbortSignal) => Promise<EngineFacts | undefined>,
  driver: string,
  readMounted: () => Promise<readonly string[] | undefined>,
): Check {
  return {
    name: NAME,
    run: async (signal) => {
      const facts = await read(signal);
      if (facts === undefined) {
        const says =
          'none is seen from here; where this host has one, run the command on the host (docs/operations.md)';
        return [ok(NAME, says)];
      }
      return [
        judgeEngine(facts),
        judgePlugin(facts, driver),
        ...judgePins(facts, driver, await readMounted()),
      ];
    },
  };
}

function judgeEngine({ version }: EngineFacts): Finding {
  const isOld = Number(version.split('.')[0]) < OLDEST;
  return isOld
    ? warning(NAME, `version ${version}`, `use ${OLDEST}.10 or later`)
    : ok(NAME, `version ${version}`);
}

function judgePlugin({ plugins }: EngineFacts, driver: string): Finding {
  const check = 'managed plugin';
  const found = plugins.find(({ name }) => sameDriver(name, driver));
  if (found === undefined) {
    const others = plugins.map(({ name }) => name).join(', ') || 'none';
    return ok(
      check,
      `none is named "${driver}" (there are: ${others}); none is needed where the plugin is a service of the host`,
    );
  }
  if (!found.enabled)
    return problem(check, `"${found.name}" is disabled`, `docker plugin enable --timeout 120 ${driver}`);
  return ok(check, `"${found.name}" ${found.id.slice(0, 12)} is enabled`);
}

/**
 * Running containers that have a volume which the plugin did not mount: they had it from a plugin that was removed by force
 * and installed anew, so that nobody will unmount it when they end. And volumes of managed plugins that are gone: the
 * engine keeps a volume by the plugin's name, and can neither inspect nor remove it until there is one of that name.
 * `mounted`: Docker's names of what the plugin has mounted; undefined when that is not known.
 */
export function judgePins(
  { plugins, containers }: EngineFacts,
  driver: string,
  mounted: readonly string[] | undefined,
): Finding[] {
  return containers.flatMap(({ name, running, mounts }) =>
    mounts.flatMap((mount) => {
      if (isGone(mount.driver, plugins)) {
        const says = `container "${name}" has volume "${mount.volume}" of plugin "${mount.driver}", which is not installed`;
        return [
          problem('pinned volume', says, `install the plugin under that alias: --alias ${mount.driver}`),
        ];
      }
      if (!running || mounted === undefined || !sameDriver(mount.driver, driver)) return [];
      if (mounted.includes(mount.volume)) return [];
      const says = `container "${name}" has volume "${mount.volume}" from a plugin that was removed; the one installed now has not mounted it`;
      return [problem('pinned volume', says, `docker restart ${name}`)];
    }),
  );
}

/** Managed plugins have a tag in their name; of others the engine's list says nothing. */
function isGone(driver: string, plugins: readonly EnginePlugin[]): boolean {
  return driver.includes(':') && !plugins.some(({ name }) => name === driver);
}

function sameDriver(name: string, driver: string): boolean {
  return name === driver || name === `${driver}:latest`;
}
