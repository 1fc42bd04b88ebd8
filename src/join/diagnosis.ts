import type { ArrayHost } from '../array/host.ts';
import { asHostId, type HostId, type SystemId } from '../array/ids.ts';
import type { HostRegistry } from '../array/storage-array.ts';
import type { DescribedSystem } from '../array/system.ts';
import { judgeMdmAddresses } from './mdm-addresses.ts';
import type { ConfiguredMdm, SdcControl, SourceAddresses } from './ports.ts';
import { stateOfFailure, type JoinState } from './state.ts';

/** What this host could do by itself, where its operator allows it. */
export type Cure =
  | { readonly kind: 'add-mdm'; readonly addresses: readonly string[] }
  | { readonly kind: 'extend-mdm'; readonly known: string; readonly addresses: readonly string[] }
  | {
      readonly kind: 'approve';
      readonly guid: string;
      readonly hostId: HostId | undefined;
      /** All from which it shall report, in mode ApprovedIp; else none. */
      readonly addresses: readonly string[];
    };

export interface Diagnosis {
  readonly state: JoinState;
  readonly cure: Cure | undefined;
  /** Of the SDC, once joined. */
  readonly joined:
    { readonly guid: string; readonly systemId: SystemId; readonly hostId: HostId } | undefined;
}

export interface DiagnosisParts {
  readonly sdc: SdcControl;
  readonly array: HostRegistry;
  readonly sourceAddresses: SourceAddresses;
}

interface Here {
  readonly guid: string;
  /** Undefined where drv_cfg cannot be asked. */
  readonly mdms: readonly ConfiguredMdm[] | undefined;
}

/** Looks how far this host has come, changing nothing. */
export class JoinDiagnosis {
  readonly #parts: DiagnosisParts;

  constructor(parts: DiagnosisParts) {
    this.#parts = parts;
  }

  /**
   * `thorough`: also ask the array about an SDC that says itself that it is connected, which is else believed and costs
   * no gateway call but a log-in. Rejects with CancelledError only.
   */
  async diagnose(thorough: boolean, signal: AbortSignal): Promise<Diagnosis> {
    try {
      return await this.#diagnose(thorough, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return { state: stateOfFailure(error), cure: undefined, joined: undefined };
    }
  }

  async #diagnose(thorough: boolean, signal: AbortSignal): Promise<Diagnosis> {
    const { sdc, array } = this.#parts;
    const here: Here = { guid: await sdc.currentGuid(signal), mdms: await sdc.configuredMdms(signal) };
    const { systemId } = await array.identity(signal);
    const own = here.mdms?.find((mdm) => mdm.systemId === systemId && mdm.sdcId !== null);
    if (own?.sdcId != null && !thorough) return joined(here.guid, systemId, asHostId(own.sdcId));
    return this.#lookAtArray(here, own !== undefined, signal);
  }

  /** `connected`: as the SDC itself says. */
  async #lookAtArray(here: Here, connected: boolean, signal: AbortSignal): Promise<Diagnosis> {
    const { array } = this.#parts;
    const [system, registered] = await Promise.all([
      array.describeSystem(signal),
      array.findHost(here.guid, signal),
    ]);
    const mdm = connected ? undefined : judgeMdms(here, system);
    if (mdm?.state.step === 'mdm-missing') return mdm;
    const refused = await this.#judgeApproval(here, system, registered);
    if (refused !== undefined) return refused;
    const isIn = registered?.state === 'connected' && (connected || here.mdms === undefined);
    return isIn ? joined(here.guid, system.id, registered.id) : (mdm ?? notConnected(here, system));
  }

  /** Undefined when the array knows the SDC and lets it in from where it is. */
  async #judgeApproval(
    { guid }: Here,
    system: DescribedSystem,
    registered: ArrayHost | undefined,
  ): Promise<Diagnosis | undefined> {
    const mode = system.restrictedMode;
    const byAddress = mode === 'ApprovedIp';
    const approved = new Set(registered?.approvedAddresses);
    const own = byAddress ? await this.#ownAddresses(system, registered) : [];
    const foreign = registered?.state === 'connected' ? [] : own.filter((address) => !approved.has(address));
    if (registered?.isApproved === true && foreign.length === 0) return undefined;
    if (registered === undefined && mode === 'None') return notKnown(guid, system);
    const addresses = byAddress ? [...new Set([...approved, ...own])] : [];
    return {
      state: {
        step: 'not-approved',
        reason: `array "${system.id}" lets in only approved SDCs (mode ${mode}), and has not approved this host's, "${guid}"${from(addresses)}`,
        remedy: `approve it at the array (scli --approve_sdc --sdc_guid ${guid}), or set SCALEIO_JOIN_APPROVE=true`,
      },
      cure: { kind: 'approve', guid, hostId: registered?.id, addresses },
      joined: undefined,
    };
  }

  async #ownAddresses(
    system: DescribedSystem,
    registered: ArrayHost | undefined,
  ): Promise<readonly string[]> {
    const sources = await this.#parts.sourceAddresses(system.mdmAddresses);
    return [...new Set([...(registered?.addresses ?? []), ...sources])];
  }
}

function from(addresses: readonly string[]): string {
  return addresses.length === 0 ? '' : ` from ${addresses.join(', ')}`;
}

function joined(guid: string, systemId: SystemId, hostId: HostId): Diagnosis {
  return {
    state: { step: 'joined', reason: `SDC "${guid}" is connected to array "${systemId}"`, remedy: '' },
    cure: undefined,
    joined: { guid, systemId, hostId },
  };
}

function judgeMdms({ mdms }: Here, system: DescribedSystem): Diagnosis | undefined {
  const array = { systemId: system.id, addresses: system.mdmAddresses };
  const judged = judgeMdmAddresses(mdms ?? [], array);
  if (mdms === undefined || judged.verdict === 'complete' || array.addresses.length === 0) return undefined;
  const wanted = array.addresses.join(',');
  switch (judged.verdict) {
    case 'missing':
      return mdmMissing(
        `the SDC of this host has no MDM address of array "${system.id}", which is at ${wanted}`,
        `run "drv_cfg --add_mdm --ip ${wanted}", or set SCALEIO_JOIN_MDM=true`,
        { kind: 'add-mdm', addresses: array.addresses },
      );
    case 'unclear':
      // Perhaps a virtual address, or one behind a translation: adding beside it could register the SDC twice.
      return mdmMissing(
        `the SDC of this host reaches none of its MDM addresses ${judged.configured.join(',')}, and array "${system.id}" says ${wanted}`,
        `if they are outdated run "drv_cfg --mod_mdm_ip --ip ${judged.configured[0] ?? ''} --new_mdm_ip ${wanted}", else check the network`,
        undefined,
      );
    case 'partial':
      return {
        state: {
          step: 'not-connected',
          reason: `the SDC of this host is not connected to array "${system.id}" and lacks its MDM address ${judged.lacking.join(',')}`,
          remedy: `check the network; run "drv_cfg --mod_mdm_ip --ip ${judged.known} --new_mdm_ip ${judged.all.join(',')}", or set SCALEIO_JOIN_MDM=true`,
        },
        cure: { kind: 'extend-mdm', known: judged.known, addresses: judged.all },
        joined: undefined,
      };
  }
}

function mdmMissing(reason: string, remedy: string, cure: Cure | undefined): Diagnosis {
  return { state: { step: 'mdm-missing', reason, remedy }, cure, joined: undefined };
}

function notKnown(guid: string, { id, mdmAddresses }: DescribedSystem): Diagnosis {
  const state: JoinState = {
    step: 'not-known',
    reason: `array "${id}" does not know this host's SDC "${guid}"`,
    remedy: `check the network from this host to the MDMs (${mdmAddresses.join(', ')}, TCP 6611 and 9011)`,
  };
  return { state, cure: undefined, joined: undefined };
}

function notConnected({ guid }: Here, { id, mdmAddresses }: DescribedSystem): Diagnosis {
  const state: JoinState = {
    step: 'not-connected',
    reason: `this host's SDC "${guid}" is not connected to array "${id}"`,
    remedy: `check the network from this host to the MDMs (${mdmAddresses.join(', ')}) and "drv_cfg --query_mdms"`,
  };
  return { state, cure: undefined, joined: undefined };
}
