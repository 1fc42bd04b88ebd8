import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parsePolicy } from '../steward/policy-file.ts';
import type { Policy } from '../steward/policy.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { ConfigError, GatewayUnavailableError, InvalidRequestError } from '../errors.ts';
import { asJson } from './as-json.ts';
import { openLog } from '../observe/logging/logger.ts';
import { buildSteward } from '../apps/steward.ts';
import { untilAskedToEnd, type ProcessIo } from './process-io.ts';
import { settingsOf } from './settings-flags.ts';
import { VERSION } from './version.ts';
import { textForPolicy, textForSnapshot } from './steward-text.ts';

/** Not where engines look for plugins. */
const DEFAULT_SOCKET = '/run/docker-volume-scaleio/steward.sock';
const DEFAULT_POLICY = '/etc/docker-volume-scaleio/steward.yml';
/** One look at the array must not hold a terminal for ever. */
const ONCE_LIMIT_MS = 60_000;

interface StewardFlags extends SettingsFlags {
  readonly policy: string;
  readonly checkPolicy?: true;
  readonly once?: true;
  readonly json?: true;
  readonly metricsSocket: string;
}

/** `steward`: watches over the array's space, one process per cluster, until SIGTERM or SIGINT. */
export function addStewardCommand(program: Command, io: ProcessIo): void {
  program
    .command('steward')
    .description(
      "watch over the array's space: warn, and grow and clean up as a policy allows (docs/steward.md)",
    )
    .option('--policy <file>', 'file that says what it may do, YAML or JSON', DEFAULT_POLICY)
    .option('--check-policy', 'only check the policy')
    .option('--once', 'read the array once, change nothing, say what is seen and what would be done')
    .option('--json', 'print as JSON what --once sees, or that the policy is right')
    .option('--metrics-socket <path>', 'unix socket for its metrics, "none" for none', DEFAULT_SOCKET)
    .option('--config <file>', 'JSON file with settings')
    .action(async (flags: StewardFlags) => {
      const { policy: file, json: isJson } = flags;
      const policy = readPolicy(file);
      if (flags.checkPolicy === true) {
        const said = `policy "${file}" is right: ${textForPolicy(policy)}\n`;
        io.stdout.write(isJson === true ? asJson({ file, isRight: true, policy }) : said);
      } else if (flags.once === true) await lookOnce(io, flags, policy);
      else if (isJson === true) {
        throw new InvalidRequestError(
          '--json goes with --once or --check-policy; a steward that goes on writes a log',
        );
      } else await watch(io, flags, policy);
    });
}

function readPolicy(file: string): Policy {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const advice =
      'name another with --policy; the command of a managed plugin sees only files below /etc/scaleio';
    throw new ConfigError(`cannot read policy "${file}": ${code}; ${advice}`, { cause });
  }
  return parsePolicy(text, file);
}

async function watch(io: ProcessIo, flags: StewardFlags, policy: Policy): Promise<void> {
  const { settings, warnings, passwordFile } = settingsOf(io, flags);
  const { log, droppedLines, close } = openLog(settings.logLevel);
  try {
    for (const warning of warnings) log.warn({}, warning);
    const ended = untilAskedToEnd(io);
    const socket = flags.metricsSocket === 'none' ? undefined : flags.metricsSocket;
    const edges = { log, droppedLines, version: VERSION, passwordFile, socket };
    const app = await buildSteward(settings, policy, edges);
    log.info({ policy: flags.policy, acts: policy.act }, policy.act ? 'steward acts' : 'steward: dry run');
    await app.start();
    await ended;
    await app.close();
    log.info({}, 'stopped');
  } finally {
    close();
  }
}

/** Without webhooks and without waiting for confirmation: a plan is what it would do if this lasted. */
async function lookOnce(io: ProcessIo, flags: StewardFlags, policy: Policy): Promise<void> {
  const { settings } = settingsOf(io, flags);
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const app = await buildSteward(
    { ...settings, metricsAddress: undefined, apiTokensFile: undefined },
    atOnce(policy),
    {
      droppedLines: () => 0,
      log,
      version: VERSION,
    },
  );
  try {
    await app.steward.round(AbortSignal.timeout(ONCE_LIMIT_MS));
    const snapshot = app.steward.snapshot();
    if (snapshot.failure !== null) throw new GatewayUnavailableError(snapshot.failure);
    io.stdout.write(flags.json === true ? asJson(snapshot) : textForSnapshot(snapshot));
    const { length: places } = snapshot.problems;
    if (places > 0)
      throw new ConfigError(
        `the policy does not fit the array in ${places} place${places === 1 ? '' : 's'} (see above): correct its pools, then try again`,
      );
  } finally {
    await app.close();
  }
}

/** The policy of one look: tells nobody, changes nothing, and has no past that it would have to cool down from. */
function atOnce(policy: Policy): Policy {
  const pools = policy.pools.map((pool) =>
    pool.grow === undefined ? pool : { ...pool, grow: { ...pool.grow, cooldown: 0 } },
  );
  return { ...policy, pools, act: false, webhooks: [] };
}
