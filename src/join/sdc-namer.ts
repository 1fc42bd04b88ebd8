import { isPluginError } from '../errors.ts';
import type { HostId } from '../array/ids.ts';
import type { HostRegistry } from '../array/storage-array.ts';
import type { Log } from '../runtime/log.ts';
import { sdcNameBeside, sdcNameFor } from './sdc-name.ts';

export interface NamingPolicy {
  /** Template of the SDC's name; undefined: leave the name alone. */
  readonly name: string | undefined;
  /** Also give an SDC another name that already bears one. */
  readonly mayRename: boolean;
  readonly hostName: string;
}

/** Names this host's SDC after the host, once; a name that somebody else gave it stays unless the operator says so. */
export class SdcNamer {
  readonly #array: HostRegistry;
  readonly #log: Log;
  readonly #policy: NamingPolicy;
  #settled: HostId | undefined;

  constructor({ array, log }: { array: HostRegistry; log: Log }, policy: NamingPolicy) {
    this.#array = array;
    this.#log = log;
    this.#policy = policy;
  }

  /** A name serves people only, so that nothing fails for want of one: tried again at the next look. */
  async name({ guid, hostId }: { guid: string; hostId: HostId }, signal: AbortSignal): Promise<void> {
    if (this.#policy.name === undefined || this.#settled === hostId) return;
    try {
      const wanted = sdcNameFor(this.#policy.name, this.#policy.hostName);
      await this.#give(wanted, guid, signal);
      this.#settled = hostId;
    } catch (error) {
      if (signal.aborted || !isPluginError(error)) throw error;
      this.#log.warn({ error: error.message }, "cannot name this host's SDC; trying again later");
    }
  }

  async #give(wanted: string, guid: string, signal: AbortSignal): Promise<void> {
    const found = await this.#array.findHost(guid, signal);
    const beside = sdcNameBeside(wanted, guid);
    if (found === undefined || found.name === wanted || found.name === beside) return;
    if (found.name !== null && !this.#policy.mayRename) {
      this.#log.info(
        { name: found.name, wanted },
        "this host's SDC keeps its name; set SCALEIO_JOIN_RENAME=true to change it",
      );
      return;
    }
    for (const name of [wanted, beside]) {
      if (await this.#array.renameHost(found.id, name, signal)) {
        this.#log.info({ name, before: found.name }, "named this host's SDC");
        return;
      }
    }
    this.#log.warn({ wanted, beside }, "other SDCs have both names for this host's SDC; it keeps its own");
  }
}
