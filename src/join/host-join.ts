import { isPluginError } from '../errors.ts';
import type { HostId, SystemId } from '../array/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Periodic } from '../runtime/periodic.ts';
import { JoinDiagnosis, type Cure, type Diagnosis, type DiagnosisParts } from './diagnosis.ts';
import { SdcNamer } from './sdc-namer.ts';
import type { JoinState } from './state.ts';

/** What the operator lets this host do by itself. */
export interface JoinPolicy {
  /** Write the array's MDM addresses into the SDC's configuration. */
  readonly mayWriteMdm: boolean;
  /** Approve this host's own SDC at the array. */
  readonly mayApprove: boolean;
  /** Template of the SDC's name; undefined: leave the name alone. */
  readonly name: string | undefined;
  /** Also give an SDC another name that already bears one. */
  readonly mayRename: boolean;
  readonly hostName: string;
}

/** In milliseconds. */
export interface JoinTimes {
  /** Between looks while not joined. */
  readonly retryMs: number;
  /** Once joined, between looks at this host alone. */
  readonly recheckMs: number;
  /** After this host has done something about it. */
  readonly settleMs: number;
  /** Longest pause after a refused log-in, since some directories lock an account that is tried too often. */
  readonly longestRefusedMs: number;
  /** Budget of one look. */
  readonly lookMs: number;
}

export const JOIN_TIMES = {
  recheckMs: 300_000,
  settleMs: 1000,
  longestRefusedMs: 300_000,
  lookMs: 60_000,
} as const;

/** What others keep about who this host is. */
interface KeptIdentity {
  readonly last: { readonly systemId: SystemId; readonly hostId: HostId; readonly guid: string } | undefined;
  forget(): void;
}

export interface HostJoinParts extends DiagnosisParts {
  readonly identity: KeptIdentity;
  readonly clock: Clock;
  readonly log: Log;
}

/** The state as it is shown: with its age and when it is looked at again. */
export interface ShownJoinState extends JoinState {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** By the clock that cannot be set, ms; undefined while it is being looked at. */
  readonly nextLook: number | undefined;
}

/**
 * Brings this host into the storage and keeps it there: looks how far it has come, does what the operator allows,
 * waits, looks again, for as long as the plugin runs. No state is final. Once joined it asks only this host, until
 * somebody doubts.
 */
export class HostJoin {
  readonly #parts: HostJoinParts;
  readonly #policy: JoinPolicy;
  readonly #times: JoinTimes;
  readonly #diagnosis: JoinDiagnosis;
  readonly #namer: SdcNamer;
  readonly #looks: Periodic;
  #doubted = false;
  /** Of the log-in, one after the other. */
  #refusals = 0;
  /** From this look to the next, ms. */
  #pauseMs: number;
  #state: ShownJoinState;
  /** Of cures that did not help, so that they are tried once and not for ever. */
  #tried: string | undefined;

  constructor(parts: HostJoinParts, policy: JoinPolicy, times: JoinTimes) {
    this.#parts = parts;
    this.#policy = policy;
    this.#times = times;
    this.#diagnosis = new JoinDiagnosis(parts);
    this.#namer = new SdcNamer(parts, policy);
    const words = { step: 'looking', reason: 'the first look has not ended yet', remedy: '' } as const;
    this.#state = { ...words, since: parts.clock.now(), nextLook: undefined };
    this.#pauseMs = times.retryMs;
    this.#looks = new Periodic({
      clock: parts.clock,
      turn: async (signal) => {
        this.#pauseMs = await this.#round(signal);
      },
      pauseMs: () => {
        this.#state = { ...this.#state, nextLook: parts.clock.elapsed() + this.#pauseMs };
        return this.#pauseMs;
      },
      limitMs: times.lookMs,
      onError: (error) => {
        const what = isPluginError(error) ? error.message : String(error);
        parts.log.warn(
          { error: what },
          'cannot find out whether this host has joined the storage; trying again',
        );
        this.#pauseMs = times.retryMs;
      },
    });
  }

  get state(): ShownJoinState {
    return this.#state;
  }

  start(): void {
    this.#looks.start();
  }

  /** Resolves when the look in progress has ended. */
  stop(): Promise<void> {
    return this.#looks.stop();
  }

  /** Something failed as if this host were not joined: asks the array about it soon. */
  doubt(): void {
    this.#doubted = true;
    if (this.#state.step === 'joined') this.#looks.within(0);
  }

  /** Why this host cannot use the array and what to do, as it follows "…; "; undefined when it can or nothing is known. */
  problem(): string | undefined {
    const { step, reason, remedy, nextLook } = this.#state;
    if (step === 'joined' || step === 'looking') return undefined;
    const seconds = nextLook === undefined ? 0 : Math.ceil((nextLook - this.#parts.clock.elapsed()) / 1000);
    const cure = remedy === '' ? '' : `; ${remedy}`;
    return `this host is "${step}": ${reason}${cure} (looked at again ${seconds > 0 ? `in ${seconds} s` : 'now'})`;
  }

  /** One look and what follows from it; how long to wait for the next. */
  async #round(signal: AbortSignal): Promise<number> {
    const thorough = this.#doubted;
    this.#doubted = false;
    const diagnosis = await this.#diagnosis.diagnose(thorough, signal);
    const outcome = await this.#cureOf(diagnosis, signal);
    this.#show(outcome.state);
    if (diagnosis.joined !== undefined) await this.#settleIn(diagnosis.joined, signal);
    return outcome.helped ? this.#times.settleMs : this.#pauseIn(diagnosis.state);
  }

  #pauseIn({ step }: JoinState): number {
    if (step === 'joined') return this.#times.recheckMs;
    const { retryMs, longestRefusedMs } = this.#times;
    this.#refusals = step === 'login-refused' ? this.#refusals + 1 : 0;
    return Math.max(retryMs, Math.min(retryMs * 2 ** (this.#refusals - 1), longestRefusedMs));
  }

  /** Does what may be done; the state says when that failed. */
  async #cureOf(
    { state, cure }: Diagnosis,
    signal: AbortSignal,
  ): Promise<{ state: JoinState; helped: boolean }> {
    const key = JSON.stringify(cure);
    if (cure === undefined || !this.#allows(cure) || key === this.#tried) return { state, helped: false };
    try {
      await this.#apply(cure, signal);
      this.#tried = key;
      return { state, helped: true };
    } catch (error) {
      if (signal.aborted || !isPluginError(error)) throw error;
      return { state: { ...state, reason: `${state.reason}; ${error.message}` }, helped: false };
    }
  }

  #allows(cure: Cure): boolean {
    return cure.kind === 'approve' ? this.#policy.mayApprove : this.#policy.mayWriteMdm;
  }

  async #apply(cure: Cure, signal: AbortSignal): Promise<void> {
    const { sdc, array, log } = this.#parts;
    switch (cure.kind) {
      case 'add-mdm':
        await sdc.addMdm(cure.addresses, signal);
        log.info({ mdm: cure.addresses }, "gave this host's SDC the array's MDM addresses");
        return;
      case 'extend-mdm':
        await sdc.extendMdm(cure.known, cure.addresses, signal);
        log.info({ mdm: cure.addresses }, "added the array's other MDM addresses to this host's SDC");
        return;
      case 'approve': {
        const { guid, hostId, addresses } = cure;
        const isNew = await array.approveHost(guid, addresses, signal);
        if (!isNew && hostId !== undefined && addresses.length > 0) {
          await array.setApprovedAddresses(hostId, addresses, signal);
        }
        log.info({ guid, addresses }, "approved this host's SDC at the array");
      }
    }
  }

  async #settleIn(me: NonNullable<Diagnosis['joined']>, signal: AbortSignal): Promise<void> {
    const { identity } = this.#parts;
    this.#tried = undefined;
    const { last } = identity;
    const isOther =
      last !== undefined &&
      (last.hostId !== me.hostId || last.guid !== me.guid || last.systemId !== me.systemId);
    if (isOther) identity.forget();
    await this.#namer.name(me, signal);
  }

  #show(state: JoinState): void {
    const { clock, log } = this.#parts;
    const { step, reason, remedy } = this.#state;
    if (step === state.step && reason === state.reason && remedy === state.remedy) return;
    const since = step === state.step ? this.#state.since : clock.now();
    this.#state = { ...state, since, nextLook: undefined };
    if (state.step === 'joined') log.info({ ...state }, 'this host has joined the storage');
    else log.warn({ ...state }, 'this host has not joined the storage');
  }
}
