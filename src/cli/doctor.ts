import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadSettings, type LoadedSettings, type SettingsFlags } from '../config/load-settings.ts';
import { examine } from '../apps/doctor.ts';
import { type EngineFacts } from '../doctor/engine-check.ts';
import {
  parseEngineFacts,
  readEngineFacts,
  readPluginSettings,
  type AskEngine,
} from '../doctor/engine-facts.ts';
import { exitStatusOf } from '../doctor/finding.ts';
import { reportJson, reportText } from '../doctor/report.ts';
import { askUnixSocket } from '../host/unix-socket.ts';
import { ExitStatus } from './exit-status.ts';
import type { ProcessIo } from './process-io.ts';
import { settingsHere, withSettingsFlags } from './settings-flags.ts';

const ENGINE_SOCKET = '/var/run/docker.sock';
const PLUGIN_SETTINGS_MS = 5000;
/** Where a managed plugin keeps its records and mounts, in its own directory of the engine. */
const PROPAGATED = '/var/lib/docker/plugins';

interface DoctorFlags extends SettingsFlags {
  readonly json?: true;
  readonly engine: string;
  readonly engineFacts?: string;
  readonly plugin: string;
}

/** `doctor`: what is well and what is not with this host and its array, and what to do about it. Changes nothing. */
export function addDoctorCommand(program: Command, io: ProcessIo): void {
  withSettingsFlags(program.command('doctor'))
    .description(
      'look at this host and its array from all sides and say what to mend; exit status 0, 10 (warning), 20 (problem)',
    )
    .option('--json', 'print as JSON')
    .option('--engine <socket>', "the Docker engine's API socket", ENGINE_SOCKET)
    .option(
      '--engine-facts <file>',
      'file with what the engine says, in place of asking it; the host command writes it',
    )
    .option(
      '--plugin <name>',
      'name of the managed plugin, where it was installed under another alias',
      'scaleio',
    )
    .action(async (flags: DoctorFlags) => {
      const ask: AskEngine = (path, signal) => askUnixSocket(flags.engine, path, signal);
      const findings = await examine({
        settings: await settingsInForce(io, flags, ask),
        readEngine: engineReader(flags, ask),
        driver: flags.plugin,
        log: silent,
        ownPid: io.pid,
      });
      io.stdout.write(flags.json === true ? reportJson(findings) : reportText(findings));
      throw new ExitStatus(exitStatusOf(findings));
    });
}

const nothing = (): void => undefined;
/** What a check meets it says itself. */
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function engineReader(
  { engine, engineFacts }: DoctorFlags,
  ask: AskEngine,
): (signal: AbortSignal) => Promise<EngineFacts | undefined> {
  if (engineFacts !== undefined) {
    return () => Promise.resolve(parseEngineFacts(readFileSync(engineFacts, 'utf8')));
  }
  return async (signal) => (existsSync(engine) ? readEngineFacts(ask, signal) : undefined);
}

/** The command's own, else those of the managed plugin on this host; an Error says why there are none. */
async function settingsInForce(
  io: ProcessIo,
  flags: DoctorFlags,
  ask: AskEngine,
): Promise<LoadedSettings | Error> {
  try {
    return settingsHere(io, flags);
  } catch (error) {
    const own = error instanceof Error ? error : new Error(String(error));
    if (Object.keys(io.env).some((name) => name.startsWith('SCALEIO_'))) return own;
    return (await settingsOfPlugin(flags, ask)) ?? own;
  }
}

async function settingsOfPlugin(flags: DoctorFlags, ask: AskEngine): Promise<LoadedSettings | undefined> {
  try {
    const found = await readPluginSettings(ask, flags.plugin, AbortSignal.timeout(PLUGIN_SETTINGS_MS));
    if (found === undefined) return undefined;
    const below = `${PROPAGATED}/${found.id}/propagated-mount`;
    const env = { SCALEIO_STATE_DIR: `${below}/state`, SCALEIO_MOUNT_ROOT: `${below}/volumes` };
    return loadSettings({ env: { ...found.env, ...env }, readFile: (path) => readFileSync(path, 'utf8') });
  } catch {
    return undefined; // no engine, or a plugin without settings: the command's own mistakes say more
  }
}
