import { GatewayAuthError, GatewayUnavailableError, AttachError } from '../../../src/errors.ts';
import { HostJoin, JOIN_TIMES, type JoinPolicy } from '../../../src/join/host-join.ts';
import type { ArrayHost, RestrictedMode } from '../../../src/array/host.ts';
import type { HostId, SystemId } from '../../../src/array/ids.ts';
import type { HostRegistry } from '../../../src/array/storage-array.ts';
import type { ConfiguredMdm, SdcControl } from '../../../src/join/ports.ts';
import { turn, VirtualClock } from '../volumes/world/virtual-clock.ts';

export const GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
const SYSTEM = '3ef46cbf2aaf5d0f' as SystemId;
const RETRY_MS = 10_000;

const NOTHING: JoinPolicy = {
  mayWriteMdm: false,
  mayApprove: false,
  name: undefined,
  mayRename: false,
  hostName: 'node-1.example.com',
};

/** A host and an array that obey the rules of restricted modes; each part can be broken and mended at any moment. */
export class Scene {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  /** Gateway calls in order, without log-in. */
  readonly calls: string[] = [];
  readonly mdms: string[][] = [];
  installed = true;
  loaded = true;
  gateway: 'up' | 'down' | 'password' = 'up';
  network = true;
  mode: RestrictedMode = 'None';
  sdcId = 'c7d0000000000001' as HostId;
  name: string | null = null;
  readonly otherNames: string[] = [];
  approved = false;
  approvedAddresses: readonly string[] = [];
  arrayMdms = ['10.0.0.1', '10.0.0.2'];
  /** The array has heard of the SDC. */
  seen = false;
  identity: { systemId: SystemId; hostId: HostId; guid: string } | undefined;
  readonly join: HostJoin;

  constructor(policy: Partial<JoinPolicy> = {}) {
    const note = (level: string) => (facts: object, message: string) => {
      this.lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
    };
    const identity = (): typeof this.identity => this.identity;
    this.join = new HostJoin(
      {
        sdc: this.#sdc(),
        array: this.#array(),
        sourceAddresses: () => Promise.resolve(['10.0.1.7']),
        identity: {
          get last() {
            return identity();
          },
          forget: () => {
            this.identity = undefined;
          },
        },
        clock: {
          now: () => this.clock.now(),
          elapsed: () => this.clock.elapsed(),
          sleep: (ms, signal) => this.clock.sleep(ms, signal),
          randomHex: () => '',
        },
        log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
      },
      { ...NOTHING, ...policy },
      { ...JOIN_TIMES, retryMs: RETRY_MS },
    );
  }

  get connected(): boolean {
    const letIn = this.mode === 'None' || this.approved;
    const fromHere = this.mode !== 'ApprovedIp' || this.approvedAddresses.includes('10.0.1.7');
    return this.#reached && letIn && fromHere;
  }

  get #reached(): boolean {
    return this.loaded && this.network && this.mdms.flat().some((one) => this.arrayMdms.includes(one));
  }

  /** Lets ms pass, a second at a time, and everything that follows from it happen. */
  async pass(ms: number): Promise<void> {
    await turn();
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(left, 1000));
      await turn();
    }
  }

  #sdc(): SdcControl {
    const usable = <T>(answer: () => T): Promise<T> => {
      if (!this.installed)
        return Promise.reject(new AttachError('no drv_cfg; install it', { problem: 'not-installed' }));
      if (!this.loaded)
        return Promise.reject(new AttachError('no scini; start it', { problem: 'not-loaded' }));
      return Promise.resolve(answer());
    };
    return {
      currentGuid: () => usable(() => GUID),
      configuredMdms: () =>
        usable(() =>
          this.mdms.map((addresses): ConfiguredMdm => {
            const up = this.connected && addresses.some((one) => this.arrayMdms.includes(one));
            return { systemId: up ? SYSTEM : null, sdcId: up ? this.sdcId : null, addresses };
          }),
        ),
      addMdm: (addresses) => usable(() => void this.mdms.push([...addresses])),
      extendMdm: (known, addresses) =>
        usable(() => {
          const at = this.mdms.findIndex((one) => one.includes(known));
          this.mdms.splice(at, 1, [...addresses]);
        }),
    };
  }

  #array(): HostRegistry {
    const served = <T>(call: string, answer: () => T): Promise<T> => {
      if (this.gateway === 'down') return Promise.reject(new GatewayUnavailableError('no gateway answers'));
      if (this.gateway === 'password')
        return Promise.reject(new GatewayAuthError('password refused; check it'));
      if (call !== '') this.calls.push(call);
      this.seen ||= this.#reached;
      return Promise.resolve(answer());
    };
    return {
      identity: () => served('', () => ({ systemId: SYSTEM })),
      describeSystem: () =>
        served('describeSystem', () => ({
          id: SYSTEM,
          restrictedMode: this.mode,
          mdmAddresses: this.arrayMdms,
        })),
      findHost: (guid) =>
        served('findSdc', () => (guid === GUID && this.seen ? this.#registered : undefined)),
      approveHost: (guid, addresses) =>
        served(`approve ${guid}`, () => {
          const isNew = !this.approved;
          if (isNew) this.approvedAddresses = addresses;
          this.approved = true;
          return isNew;
        }),
      setApprovedAddresses: (id, addresses) =>
        served(`addresses ${id}`, () => {
          this.approvedAddresses = addresses;
        }),
      renameHost: (id, name) =>
        served(`name ${id} ${name}`, () => {
          if (this.otherNames.includes(name)) return false;
          this.name = name;
          return true;
        }),
    };
  }

  get #registered(): ArrayHost {
    return {
      id: this.sdcId,
      name: this.name,
      isApproved: this.mode === 'None' || this.approved,
      kind: 'sdc',
      guid: GUID,
      address: this.connected ? '10.0.1.7' : null,
      state: this.connected ? 'connected' : 'disconnected',
      osType: null,
      version: null,
      addresses: this.connected ? ['10.0.1.7'] : [],
      approvedAddresses: this.approvedAddresses,
    };
  }
}
