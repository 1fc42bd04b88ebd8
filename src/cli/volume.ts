import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import type { SettingsFlags } from '../config/load-settings.ts';
import { InvalidRequestError } from '../errors.ts';
import type { PolicyChange } from '../volumes/takeover/failover-marker.ts';
import { POLICY_CHOICES } from '../volumes/volume.ts';
import { findReleasable } from '../volumes/upkeep/unclaimed-release.ts';
import { addClassesCommand } from './volume-classes.ts';
import { addDataCommands } from './volume-data.ts';
import { addPolicyCommand } from './volume-policy.ts';
import { addRestore } from './volume-restore.ts';
import { addSnapshotCommands } from './volume-snapshots.ts';
import { removeLikelyAnonymous, textAfterFindings, textForFinding } from './volume-anonymous.ts';
import { asJson } from './as-json.ts';
import { addListing } from './volume-listing.ts';
import { addLifeCommands } from './volume-life.ts';
import type { ProcessIo } from './process-io.ts';
import { addTrashCommands } from './volume-trash.ts';
import { shownFacts, roomFacts, snapshotFacts } from './volume-facts.ts';
import { ACTION_LIMIT_MS, inSession, type Session } from '../apps/volume-session.ts';
import { textForFence, textForVolume } from './volume-text.ts';

interface LookFlags extends SettingsFlags {
  readonly json?: true;
}

interface AgreeFlags extends SettingsFlags {
  readonly yes?: true;
}

interface AnonymousFlags extends AgreeFlags {
  readonly json?: true;
  readonly remove?: true;
}

interface ReleaseFlags extends AgreeFlags {
  readonly holder?: string;
  readonly json?: true;
}

const WHAT_IT_MEANS = 'What runs there sees I/O errors from then on; data not yet written there is lost.\n';

/** `volume ls`, `volume show`, `volume force-release`, `volume release` and `volume remove-anonymous`: the array's truth about volumes, with the plugin's settings. */
export function addVolumeCommands(program: Command, io: ProcessIo): void {
  const volume = program
    .command('volume')
    .description('see who holds volumes, change them, and take one away by force');
  addListing(volume, io, withGatewaySettings);
  addShow(volume, io);
  withGatewaySettings(volume.command('force-release'))
    .description('take a volume from the host that holds it, whatever its failover policy')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .option('--holder <host>', 'id, name or address of the host that shall lose it, when there are several')
    .option('--json', 'print as JSON what was done; needs --yes')
    .action((name: string, flags: ReleaseFlags) =>
      inSession(io, flags, (session) => forceRelease(io, session, name, flags)),
    );
  addFailover(volume, io);
  addDataCommands(volume, io, withGatewaySettings);
  const shared = {
    withSettings: withGatewaySettings,
    isAgreed: (flags: { readonly yes?: true }, question: string) => isAgreed(io, flags, question),
  };
  addSnapshotCommands(volume, io, withGatewaySettings);
  addPolicyCommand(volume, io, withGatewaySettings);
  addRestore(volume, io, shared);
  addClassesCommand(volume, io, withGatewaySettings);
  addLifeCommands(volume, io, {
    withSettings: withGatewaySettings,
    isAgreed: (flags, question) => isAgreed(io, flags, question),
  });
  withGatewaySettings(volume.command('release'))
    .description('unmap from this host a volume that the plugin did not map and that nobody uses')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON; needs --yes')
    .action((name: string, flags: AgreeFlags & LookFlags) =>
      inSession(io, flags, (session) => releaseMapping(io, session, name, flags)),
    );
  addRemoveAnonymous(volume, io);
  addTrashCommands(volume, io, shared);
}

function addShow(volume: Command, io: ProcessIo): void {
  withGatewaySettings(volume.command('show'))
    .description(
      "show one volume: holder, the holder's state, since when, how full it is, snapshots, I/O, last fence",
    )
    .argument('<name>')
    .option('--json', 'print as JSON')
    .action((name: string, flags: LookFlags) =>
      inSession(io, flags, async ({ operator, memory, host, actions, signal }) => {
        const held = await operator.look(name, signal);
        const snapshots = await snapshotFacts(host, held.volume, signal);
        const shown = await shownFacts(held, { memory, array: host.array, signal });
        const facts = { ...shown, snapshots, room: await roomFacts(actions, held, shown.usersHere, signal) };
        const words = (): string => textForVolume(facts) + textForFence(facts.lastFence);
        io.stdout.write(flags.json === true ? asJson(facts) : words());
      }),
    );
}

function addRemoveAnonymous(volume: Command, io: ProcessIo): void {
  withGatewaySettings(volume.command('remove-anonymous'))
    .description(
      'list free volumes whose names an engine most likely made up; with --remove look into each and remove it',
    )
    .option('--remove', 'attach each here, read its label, ask, and remove it with its data')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON; with --remove it needs --yes')
    .action((flags: AnonymousFlags) => {
      const act = flags.remove === true;
      const isJson = flags.json === true;
      if (isJson && act && flags.yes !== true) throw asksNobody();
      return inSession(io, flags, async (session) => {
        const findings = await removeLikelyAnonymous(
          { ...session.host, prefix: session.prefix, actions: session.actions },
          {
            act,
            tell: (finding) => {
              if (!isJson) io.stdout.write(textForFinding(finding));
            },
            isAgreed: (question) => isAgreed(io, flags, question),
          },
        );
        io.stdout.write(isJson ? asJson(findings) : textAfterFindings(findings, act));
      });
    });
}

async function releaseMapping(
  io: ProcessIo,
  session: Session,
  name: string,
  flags: AgreeFlags & LookFlags,
): Promise<void> {
  const isJson = flags.json === true;
  if (isJson && flags.yes !== true) throw asksNobody();
  const { host, prefix, actions, signal } = session;
  const wanted = { name, prefix, entries: await session.entries() };
  const found = await findReleasable(host, wanted, signal);
  const { device, volume } = found;
  if (!isJson) io.stdout.write(`volume "${name}" is mapped to this host as ${device.path}; nobody uses it\n`);
  if (!(await isAgreed(io, flags, `Take the mapping of "${name}" away?`))) {
    throw new InvalidRequestError(`volume "${name}" was left mapped to this host: nobody said yes`);
  }
  await actions.release({ name, volumeId: volume.id }, AbortSignal.timeout(ACTION_LIMIT_MS));
  const said = `volume "${name}" is no longer mapped to this host\n`;
  io.stdout.write(isJson ? asJson({ name, volumeId: volume.id, device: device.path }) : said);
}

function addFailover(volume: Command, io: ProcessIo): void {
  withGatewaySettings(volume.command('failover'))
    .description(`change what may be done about a volume whose host is away: ${POLICY_CHOICES.join(', ')}`)
    .argument('<name>')
    .argument('<policy>')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON; needs --yes')
    .action((name: string, policy: string, flags: AgreeFlags & LookFlags) =>
      inSession(io, flags, (session) => changeFailover(io, session, { name, policy }, flags)),
    );
}

const PINS_BLOCKS =
  'The volume was made without a marker, so a snapshot of it as it is now must carry the policy. When a block is overwritten from now on, the snapshot keeps the old one, up to the whole size of the volume; removing the volume removes the snapshot.';

async function changeFailover(
  io: ProcessIo,
  { operator, actions, signal }: Session,
  asked: { readonly name: string; readonly policy: string },
  flags: AgreeFlags & LookFlags,
): Promise<void> {
  const policy = POLICY_CHOICES.find((known) => known === asked.policy);
  if (policy === undefined)
    throw new InvalidRequestError(
      `there is no failover policy ${JSON.stringify(asked.policy)}: use ${POLICY_CHOICES.join(', ')}`,
    );
  const isJson = flags.json === true;
  const change = await operator.planPolicy(asked.name, policy, signal);
  const facts = { name: asked.name, before: change.before, policy, how: change.how };
  if (change.how === 'none') {
    io.stdout.write(isJson ? asJson(facts) : nothingDone(asked.name, change));
    return;
  }
  if (isJson && flags.yes !== true) throw asksNobody();
  if (change.how === 'snapshot' && !isJson) io.stdout.write(`${PINS_BLOCKS}\n`);
  if (
    !(await isAgreed(
      io,
      flags,
      `Change the failover policy of "${asked.name}" from ${change.before} to ${policy}?`,
    ))
  )
    throw new InvalidRequestError(
      `volume "${asked.name}" keeps the failover policy ${change.before}: nobody said yes`,
    );
  const { before, how, volume } = change;
  await actions.changeFailover(
    { name: asked.name, volumeId: volume.id, before, policy, how },
    AbortSignal.timeout(ACTION_LIMIT_MS),
  );
  const said = `volume "${asked.name}" has the failover policy ${policy} now, on every host\n`;
  io.stdout.write(isJson ? asJson(facts) : said);
}

/** What is true when the array has the policy already: without any marker it cannot say what hosts remember of the volume. */
function nothingDone(name: string, { policy, snapshots, standIn }: PolicyChange): string {
  if (snapshots.length > 0 || standIn !== undefined)
    return `volume "${name}" has the failover policy ${policy}; nothing to do\n`;
  return (
    `the array holds no failover policy for volume "${name}", so hosts use their own default, and nothing was changed. ` +
    `If it was made with a policy whose marker is gone, hosts that have mounted it still use that policy: to overrule it, give it ` +
    `disconnected, then default\n`
  );
}

async function forceRelease(
  io: ProcessIo,
  session: Session,
  name: string,
  flags: ReleaseFlags,
): Promise<void> {
  const { operator, memory, host, actions, signal } = session;
  const isJson = flags.json === true;
  if (isJson && flags.yes !== true) throw asksNobody();
  const held = await operator.look(name, signal);
  if (held.holders.length === 0) {
    const nothing = `volume "${name}" is held by nobody; nothing to do\n`;
    io.stdout.write(isJson ? asJson({ name, from: null, fence: null }) : nothing);
    return;
  }
  const holder = operator.chooseHolder(held, flags.holder);
  if (!isJson)
    io.stdout.write(
      textForVolume(await shownFacts(held, { memory, array: host.array, signal })) + WHAT_IT_MEANS,
    );
  if (!(await isAgreed(io, flags, `Take "${name}" from host ${holder.described} (${holder.state})?`))) {
    throw new InvalidRequestError(`volume "${name}" was left with host ${holder.described}: nobody said yes`);
  }
  const by = `operator ${userInfo().username} on ${hostname()}`;
  const wanted = { name: held.name, volumeId: held.volume.id, hostId: holder.attachment.hostId, by };
  // Whoever answers may take his time, so the limit begins here.
  const fence = (await actions.forceRelease(wanted, AbortSignal.timeout(ACTION_LIMIT_MS))) ?? null;
  io.stdout.write(isJson ? asJson({ name, from: holder.described, fence }) : textForFence(fence));
}

function asksNobody(): InvalidRequestError {
  return new InvalidRequestError(
    'with --json nobody is asked, so it needs --yes; leave --json out to be asked',
  );
}

async function isAgreed(io: ProcessIo, flags: AgreeFlags, question: string): Promise<boolean> {
  if (flags.yes === true) return true;
  if (io.ask === undefined) {
    throw new InvalidRequestError('nobody can be asked here (no terminal), so this needs --yes');
  }
  return /^y(es)?$/i.test((await io.ask(`${question} [y/N] `)).trim());
}

/** Gateway, credentials, prefix and state directory come from environment and file, as for `serve`. */
function withGatewaySettings(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'directory in which the plugin and this command record fences')
    .option('--config <file>', 'JSON file with settings');
}
