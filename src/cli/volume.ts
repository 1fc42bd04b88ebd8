import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { connectGateway } from '../app.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import { systemClock } from '../host/clock.ts';
import { FORCED_FENCES_FILE, openFenceLog } from '../journal/fences.ts';
import { readHeldHere } from '../journal/held-here.ts';
import { journalFiles } from '../journal/journal-files.ts';
import { VolumeOperator } from '../volumes/operator.ts';
import type { Log } from '../volumes/ports.ts';
import type { Edge } from './edge.ts';
import { settingsOf } from './serve.ts';
import { listedFacts, shownFacts, type HostMemory } from './volume-facts.ts';
import { volumeTable, wordsForFence, wordsForVolume } from './volume-words.ts';

/** Everything but ls and show is over in seconds; an array that does not answer must not hold a terminal for ever. */
const LIMIT_MS = 60_000;

interface Session {
  readonly operator: VolumeOperator;
  readonly memory: HostMemory;
  readonly signal: AbortSignal;
}

interface LookFlags extends SettingsFlags {
  readonly json?: true;
}

interface ReleaseFlags extends SettingsFlags {
  readonly yes?: true;
  readonly holder?: string;
}

/** `volume ls`, `volume show` and `volume force-release`: the array's truth about volumes, with the plugin's settings. */
export function addVolumeCommands(program: Command, edge: Edge): void {
  const volume = program.command('volume').description('see who holds volumes, and take one away by force');
  withGatewaySettings(volume.command('ls'))
    .description('list the volumes of this prefix: who holds each, since when, and its last fence')
    .option('--json', 'print as JSON')
    .action((flags: LookFlags) =>
      inSession(edge, flags, async ({ operator, memory, signal }) => {
        const listed = await operator.list(signal);
        const facts = await Promise.all(listed.map(({ name, volume }) => listedFacts(name, volume, memory)));
        edge.stdout.write(flags.json === true ? asJson(facts) : volumeTable(facts));
      }),
    );
  withGatewaySettings(volume.command('show'))
    .description("show one volume: holder, the holder's state, since when, I/O, last fence")
    .argument('<name>')
    .option('--json', 'print as JSON')
    .action((name: string, flags: LookFlags) =>
      inSession(edge, flags, async ({ operator, memory, signal }) => {
        const facts = await shownFacts(await operator.look(name, signal), memory);
        const words = (): string => wordsForVolume(facts) + wordsForFence(facts.lastFence);
        edge.stdout.write(flags.json === true ? asJson(facts) : words());
      }),
    );
  withGatewaySettings(volume.command('force-release'))
    .description('take a volume from the SDC that holds it, whatever its failover policy')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .option('--holder <sdc>', 'id, name or address of the SDC that shall lose it, when there are several')
    .action((name: string, flags: ReleaseFlags) =>
      inSession(edge, flags, (session) => forceRelease(edge, session, name, flags)),
    );
}

async function forceRelease(edge: Edge, session: Session, name: string, flags: ReleaseFlags): Promise<void> {
  const { operator, memory, signal } = session;
  const held = await operator.look(name, signal);
  if (held.holders.length === 0) {
    edge.stdout.write(`volume "${name}" is held by nobody; nothing to do\n`);
    return;
  }
  const holder = operator.chooseHolder(held, flags.holder);
  edge.stdout.write(wordsForVolume(await shownFacts(held, memory)));
  if (!(await isAgreed(edge, flags, `Take "${name}" from SDC ${holder.described} (${holder.state})?`))) {
    throw new InvalidRequestError(`volume "${name}" was left with SDC ${holder.described}: nobody said yes`);
  }
  // Whoever answers may take his time.
  const inTime = AbortSignal.timeout(LIMIT_MS);
  await operator.forceRelease(held, holder, `operator ${userInfo().username} on ${hostname()}`, inTime);
  edge.stdout.write(wordsForFence((await memory.lastFence(held.volume.id)) ?? null));
}

async function isAgreed(edge: Edge, flags: ReleaseFlags, question: string): Promise<boolean> {
  if (flags.yes === true) return true;
  if (edge.ask === undefined) {
    throw new InvalidRequestError('force-release needs --yes where nobody can be asked (no terminal)');
  }
  edge.stdout.write('What runs there sees I/O errors from then on; data not yet written there is lost.\n');
  return /^y(es)?$/i.test((await edge.ask(`${question} [y/N] `)).trim());
}

async function inSession(
  edge: Edge,
  flags: SettingsFlags,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const { settings } = settingsOf(edge, flags);
  const log = warningsTo(edge);
  const gateway = await connectGateway(settings, log);
  const journalled = { dir: settings.stateDir, files: journalFiles, clock: systemClock, log };
  // The running plugin writes its own file, so what is forced from here goes into another.
  const fences = await openFenceLog({ ...journalled, name: FORCED_FENCES_FILE });
  const parts = { array: gateway, clock: systemClock, fences };
  try {
    const operator = new VolumeOperator(parts, settings);
    const memory = {
      heldHere: await readHeldHere(journalled),
      lastFence: (volumeId: string) => fences.latest(volumeId),
    };
    await work({ operator, memory, signal: AbortSignal.timeout(LIMIT_MS) });
  } finally {
    await fences.close();
    await gateway.close();
  }
}

function asJson(facts: unknown): string {
  return `${JSON.stringify(facts, null, 2)}\n`;
}

function warningsTo(edge: Edge): Log {
  const write = (facts: object, message: string): void => {
    edge.stderr.write(`${message} ${JSON.stringify(facts)}\n`);
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: write, error: write };
}

/** Gateway, credentials, prefix and state directory come from environment and file, as for `serve`. */
function withGatewaySettings(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'directory in which the plugin and this command record fences')
    .option('--config <file>', 'JSON file with settings');
}
