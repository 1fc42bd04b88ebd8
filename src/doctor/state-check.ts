import { volumeNameOf, isOurs, isProvisionalOf } from '../volumes/naming.ts';
import type { DroppedRestore, HostVolume } from '../volumes/ports.ts';
import type { SystemId, VolumeId } from '../array/ids.ts';
import type { ArrayVolume } from '../array/volume.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

/** This host's part in volumes, from the three who know: the journal, the kernel, the array. */
export interface HostState {
  /** Undefined when there is none that can be read, and why. */
  readonly journal: readonly HostVolume[] | undefined;
  readonly journalTrouble: string | undefined;
  readonly droppedRestores: readonly DroppedRestore[];
  /** Mountpoints of volumes below the mount root. */
  readonly mountpoints: readonly string[];
  /** Volumes of which there is a link to a device. */
  readonly linked: readonly VolumeId[];
  /** Links of which the device is not there. */
  readonly deadLinks: readonly string[];
  readonly mapped: readonly ArrayVolume[];
  /** By volume id, of those mapped volumes that have a device here: who uses it. */
  readonly users: ReadonlyMap<string, string>;
  /** Why this host may not be who it says, as AddressWitness words it. */
  readonly doubt: string | undefined;
  readonly guid: string;
  readonly prefix: string;
}

/** What reading the state needs. Rejections: PluginError. */
export interface StateSources {
  me(signal: AbortSignal): Promise<{ readonly systemId: SystemId; readonly guid: string }>;
  mapped(signal: AbortSignal): Promise<readonly ArrayVolume[]>;
  readonly prefix: string;
  readJournal(): Promise<Pick<HostState, 'journal' | 'journalTrouble'>>;
  readDroppedRestores(): Promise<readonly DroppedRestore[]>;
  readMountpoints(): Promise<readonly string[]>;
  readLinks(systemId: SystemId): Promise<Pick<HostState, 'linked' | 'deadLinks'>>;
  /** Of volumes that have a device here; asked only about those that the journal does not know. */
  readUsers(systemId: SystemId, ids: readonly VolumeId[], signal: AbortSignal): Promise<HostState['users']>;
  /** After me() and mapped() were asked. */
  doubt(): string | undefined;
}

const NAME = 'volumes of this host';
const SWEPT = 'the plugin removes it once it is an hour old and nobody uses it; if it stays, see its log';
const LATER = 'the plugin cleans up by itself within SCALEIO_RECONCILE_INTERVAL; if this stays, see its log';

/** Journal against mounts against mappings. */
export function stateCheck(sources: StateSources): Check {
  return {
    name: NAME,
    run: async (signal) => {
      const { systemId, guid } = await sources.me(signal);
      const [mapped, journal, mountpoints, links, dropped] = await Promise.all([
        sources.mapped(signal),
        sources.readJournal(),
        sources.readMountpoints(),
        sources.readLinks(systemId),
        sources.readDroppedRestores(),
      ]);
      const known = new Set((journal.journal ?? []).map(({ volumeId }) => volumeId));
      const strange = mapped.filter(({ id }) => !known.has(id)).map(({ id }) => id);
      const users = await sources.readUsers(systemId, strange, signal);
      const { prefix } = sources;
      return judgeState({
        ...journal,
        ...links,
        droppedRestores: dropped,
        mapped,
        users,
        mountpoints,
        guid,
        prefix,
        doubt: sources.doubt(),
      });
    },
  };
}

/** Everything that does not fit together, or one line that all does. */
export function judgeState(state: HostState): Finding[] {
  const findings = [
    ...judgeIdentity(state),
    ...judgeJournal(state),
    ...judgeRestores(state),
    ...judgeMounts(state),
    ...judgeMappings(state),
    ...judgeLinks(state),
  ];
  if (findings.length > 0) return findings;
  const mounted = state.journal?.filter(({ phase }) => phase === 'mounted').length ?? 0;
  return [ok(NAME, `${mounted} mounted, ${state.mapped.length} mapped; journal, kernel and array agree`)];
}

function judgeIdentity({ doubt }: HostState): Finding[] {
  if (doubt === undefined) return [];
  return [
    problem(
      'identity',
      doubt,
      'give each machine a GUID of its own: reinstall the SDC of the copy, correct SCALEIO_GUID',
    ),
  ];
}

/** What is in the trash waits for its time, which may be days. */
const AT_REST: ReadonlySet<HostVolume['phase']> = new Set(['mounted', 'trashed', 'erasing']);

function judgeJournal({ journal, journalTrouble }: HostState): Finding[] {
  if (journal === undefined) {
    return [
      warning('journal', journalTrouble ?? 'cannot be read', 'the plugin rebuilds it at its next start'),
    ];
  }
  return journal
    .filter(({ phase }) => !AT_REST.has(phase))
    .map((entry) => warning('unfinished', `${workOn(entry)} since ${entry.since}`, LATER));
}

function workOn({ name, phase }: HostVolume): string {
  if (phase === 'unmarking') return `marker "${name}" of a removed volume is to be removed`;
  return `volume "${name}" is ${phase}`;
}

/** Whether it holds the one or the other only somebody who knows the data can see. */
function judgeRestores({ droppedRestores }: HostState): Finding[] {
  return droppedRestores.map(({ at, volume, snapshot, keptAs, why }) =>
    warning(
      'dropped restore',
      `the restore of volume "${volume}" to "${volume}@${snapshot}" was cut short on ${at} and is not repeated, because ${why}`,
      `look whether it holds what it should, and restore it again if not; "${volume}@${keptAs}" has what there was before`,
    ),
  );
}

function judgeMounts({ journal, mountpoints, linked }: HostState): Finding[] {
  if (journal === undefined) return [];
  const mounted = journal.filter(({ phase }) => phase === 'mounted');
  const gone = mounted
    .filter(({ mountpoint }) => !mountpoints.includes(mountpoint))
    .map(({ name }) =>
      problem(
        'missing mount',
        `volume "${name}" should be mounted and is not`,
        'restart the containers that use it',
      ),
    );
  const dead = mounted
    .filter(({ mountpoint, volumeId }) => mountpoints.includes(mountpoint) && !linked.includes(volumeId))
    .map(({ name }) =>
      problem(
        'dead mount',
        `volume "${name}" is mounted and its device is gone`,
        `another host may have taken it: docker-volume-scaleio volume show ${name}`,
      ),
    );
  const known = new Set<string>(journal.map(({ mountpoint }) => mountpoint));
  const stale = mountpoints
    .filter((mountpoint) => !known.has(mountpoint))
    .map((mountpoint) =>
      problem(
        'stale mount',
        `${mountpoint} is mounted and the journal knows nothing of it`,
        `umount ${mountpoint}`,
      ),
    );
  return [...gone, ...dead, ...stale];
}

/** Somebody else mapped it, for a repair or for good, or an installation whose journal is gone: only people know. */
function unclaimed(name: string, users: string | undefined): Finding {
  const who = users ?? 'its device is not here';
  return warning(
    'unclaimed mapping',
    `volume "${name}" is mapped here, which this plugin did not do; ${who}`,
    `when it is not needed: docker-volume-scaleio volume release ${name}; when a container mounts it here, the plugin takes it over`,
  );
}

function judgeMappings({ journal, mapped, guid, prefix, users }: HostState): Finding[] {
  if (journal === undefined) return [];
  const known = new Set<string>(journal.flatMap(({ volumeId, arrayName }) => [volumeId, arrayName]));
  const unknown = mapped.filter(({ id, name }) => !known.has(id) && !known.has(name ?? ''));
  return [
    ...unknown.flatMap(({ id, name }) => {
      if (name === null) return [];
      if (isProvisionalOf(guid, prefix, name))
        return [warning('left mapping', `an unfinished volume "${name}" is mapped here`, SWEPT)];
      return isOurs(prefix, name) ? [unclaimed(volumeNameOf(prefix, name) ?? name, users.get(id))] : [];
    }),
    ...journal
      .filter(({ phase, volumeId }) => phase === 'mounted' && !mapped.some(({ id }) => id === volumeId))
      .map(({ name }) =>
        problem(
          'lost volume',
          `volume "${name}" is mounted here and no longer mapped to this host`,
          `another host took it: docker-volume-scaleio volume show ${name}`,
        ),
      ),
  ];
}

function judgeLinks({ deadLinks, linked, mapped }: HostState): Finding[] {
  const dead = deadLinks.map((link) =>
    warning('stale link', `${link} leads to no device`, `udevadm trigger, or remove ${link}`),
  );
  const ids = new Set<string>(mapped.map(({ id }) => id));
  const left = linked
    .filter((id) => !ids.has(id))
    .map((id) =>
      warning('left device', `volume ${id} has a device here and is not mapped here`, 'drv_cfg --rescan'),
    );
  return [...dead, ...left];
}
