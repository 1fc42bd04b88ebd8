import { AttachError } from '../errors.ts';
import type { AddressWitness } from './address-witness.ts';
import type { ArrayHost } from '../array/host.ts';
import type { HostId, SystemId } from '../array/ids.ts';
import type { StorageArray } from '../array/storage-array.ts';
import type { Attacher } from '../attach/attacher.ts';
import type { SoleServer } from './ports.ts';

export interface HostIdentity {
  readonly systemId: SystemId;
  readonly hostId: HostId;
  readonly guid: string;
  readonly hostName: string | null;
  readonly hostAddress: string | null;
}

export interface IdentityParts {
  readonly array: Pick<StorageArray, 'identity' | 'findHost' | 'getHost'>;
  readonly attacher: Pick<Attacher, 'guid'>;
  readonly sole: SoleServer;
  readonly witness: AddressWitness;
}

/** Of whom there may be one on a host and array: the prefix, and where the array is asked before its id is known. */
export interface ServedScope {
  readonly prefix: string;
  readonly endpoints: readonly string[];
}

/** Who this host is to the array: asked once, kept until somebody has reason to doubt it. */
export class OwnIdentity {
  readonly #parts: IdentityParts;
  readonly #scope: ServedScope;
  #known: HostIdentity | undefined;

  constructor(parts: IdentityParts, scope: ServedScope) {
    this.#parts = parts;
    this.#scope = scope;
  }

  /**
   * Rejects with AttachError: not installed, GUID contradicted, not known to the array, not approved, or served by another
   * process on this host; and what to do.
   */
  async current(signal: AbortSignal): Promise<HostIdentity> {
    if (this.#known !== undefined) return this.#known;
    const { array, attacher: local } = this.#parts;
    const guid = await local.guid(signal);
    const { prefix, endpoints } = this.#scope;
    await this.#claim(['gateway', [...endpoints].sort().join(), guid, prefix]);
    const { systemId } = await array.identity(signal);
    await this.#claim(['system', systemId, guid, prefix]);
    const host = await array.findHost(guid, signal);
    if (host === undefined) {
      throw new AttachError(`array "${systemId}" does not know this host's SDC "${guid}"`, {
        remedy: 'check its MDM addresses (drv_cfg --query_mdms)',
        problem: 'not-known',
        context: { guid, systemId },
      });
    }
    if (!host.isApproved) {
      throw new AttachError(`array "${systemId}" has not approved this host's SDC "${guid}"`, {
        remedy: 'approve it at the MDM (scli --approve_sdc)',
        problem: 'not-approved',
        context: { guid, systemId, sdcId: host.id },
      });
    }
    this.see([host.address]);
    this.#known = { systemId, hostId: host.id, guid, hostName: host.name, hostAddress: host.address };
    return this.#known;
  }

  /** The last answer, without asking anybody. */
  get last(): HostIdentity | undefined {
    return this.#known;
  }

  /** Why the SDC that the array knows by our GUID may be another host's, as it follows "; "; undefined while nothing says so. */
  get doubt(): string | undefined {
    return this.#parts.witness.doubt;
  }

  /** What the array says of our SDC now, which may confirm or raise doubt. One gateway call. */
  async look(signal: AbortSignal): Promise<ArrayHost | undefined> {
    const { hostId } = await this.current(signal);
    const host = await this.#parts.array.getHost(hostId, signal);
    if (host !== undefined) this.see([host.address]);
    return host;
  }

  /** The array has just shown our SDC with these addresses. */
  see(addresses: readonly (string | null)[]): void {
    this.#parts.witness.see(addresses);
  }

  /** The array said that it does not know us as we thought: ask again next time. */
  forget(): void {
    this.#known = undefined;
  }

  async #claim(key: readonly string[]): Promise<void> {
    const other = await this.#parts.sole.claim(key.join('\0'));
    if (other === undefined) return;
    throw new AttachError(
      `this host's volumes on the array are served by ${other} already, with the prefix "${this.#scope.prefix}"`,
      {
        remedy: 'stop one of the two, or give this one another prefix (SCALEIO_PREFIX)',
        problem: 'not-alone',
      },
    );
  }
}
