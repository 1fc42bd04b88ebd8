import { isPluginError } from '../../errors.ts';
import { describeUsers } from '../device-users.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { HostIdentity } from '../identity.ts';
import { volumeNameOf, isOurs, isProvisionalOf } from '../naming.ts';
import { asArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';

/** A repair is many short programs. */
const RETELL_MS = 10_000;

interface Told {
  readonly users: string;
  readonly atMs: number;
}

/** A volume that is mapped to this host and that this plugin has no record of mapping. */
export interface UnclaimedAttachment {
  /** The volume's, where the array's name tells it; else that one. */
  readonly name: string;
  readonly volume: ArrayVolume;
}

/** Those of the mapped volumes that bear our prefix, or a provisional name of this host, and that no journal entry tells of. */
export function findUnclaimed(
  mapped: readonly ArrayVolume[],
  of: { readonly guid: string; readonly prefix: string; readonly recorded: ReadonlySet<string> },
): UnclaimedAttachment[] {
  return mapped.flatMap((volume) => {
    const { id, name } = volume;
    if (name === null || of.recorded.has(id) || of.recorded.has(name)) return [];
    if (!isOurs(of.prefix, name) && !isProvisionalOf(of.guid, of.prefix, name)) return [];
    return [{ name: volumeNameOf(of.prefix, name) ?? name, volume }];
  });
}

/**
 * Tells of mappings that this plugin did not make (rule 13): by an operator for a repair, by another program, or by an earlier
 * installation whose journal is gone. Nothing is done about them, whether somebody uses them or not.
 */
export class UnclaimedWatch {
  readonly #host: VolumeHost;
  #told: ReadonlyMap<string, Told> = new Map();

  constructor(host: VolumeHost) {
    this.#host = host;
  }

  /** Their names. Each is told in the log with who uses it, and again when others do. */
  async look(mapped: readonly ArrayVolume[], me: HostIdentity, signal: AbortSignal): Promise<string[]> {
    const { journal, policy } = this.#host;
    const recorded = new Set(journal.all().flatMap(({ volumeId, arrayName }) => [volumeId, arrayName]));
    const found = findUnclaimed(mapped, { guid: me.guid, prefix: policy.prefix, recorded });
    const told = new Map<string, Told>();
    for (const one of found) told.set(one.volume.id, await this.#tell(one, me, signal));
    this.#told = told;
    return found.map(({ name }) => name);
  }

  async #tell({ name, volume }: UnclaimedAttachment, me: HostIdentity, signal: AbortSignal): Promise<Told> {
    const { clock, log } = this.#host;
    const users = await this.#usersOf(volume, me, signal);
    const before = this.#told.get(volume.id);
    if (before !== undefined && (before.users === users || clock.elapsed() - before.atMs < RETELL_MS))
      return before;
    log.warn(
      { volume: name, volumeId: volume.id, users },
      'mapped to this host, and not by this plugin: left as it is; mount it here, or let go of it with "volume release"',
    );
    return { users, atMs: clock.elapsed() };
  }

  async #usersOf(volume: ArrayVolume, { systemId }: HostIdentity, signal: AbortSignal): Promise<string> {
    const { attacher, filesystems, deviceUsers } = this.#host;
    try {
      const device = await attacher.findDevice(systemId, volume.id);
      if (device === undefined) return 'its device is not here';
      const mountpoint = filesystems.mountpointOf(asArrayName(volume.name ?? volume.id));
      return describeUsers(await deviceUsers.usersOf(device, mountpoint, signal));
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      return `unknown: ${cause.message}`;
    }
  }
}
