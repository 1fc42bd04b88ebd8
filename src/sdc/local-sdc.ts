import path from 'node:path';
import { CancelledError, AttachError } from '../errors.ts';
import { cancelled } from '../host/cancelled.ts';
import type { Runner } from '../host/run.ts';
import type { SystemId, VolumeId } from '../array/ids.ts';
import type { Attacher, Device, HeldDevice } from '../attach/attacher.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { type DevicePlaces, identifyDevice } from './device-identity.ts';
import { linkName } from './device-link.ts';
import { waitUntil } from './device-wait.ts';
import { DrvCfg, type KnownMdm } from './drv-cfg.ts';
import { holdDevice, type Sight } from './held-device.ts';

export interface LocalSdcOptions {
  readonly runner: Runner;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  /** Absolute path of drv_cfg; default /opt/emc/scaleio/sdc/bin/drv_cfg. */
  readonly drvCfgPath?: string | undefined;
  /** The SDC's GUID where drv_cfg cannot be run; where it can and says otherwise, the GUID is refused. */
  readonly guid?: string | undefined;
  /** A drv_cfg.txt that changes of MDM addresses are written to as well; undefined: the running driver alone. */
  readonly mdmFile?: string | undefined;
  /** How long a device may take to appear after mapping, ms; default 30,000. */
  readonly deviceWaitMs?: number | undefined;
  /** After how long without the device the SDC is asked to rescan, and how often again, ms; default 2,000. */
  readonly rescanAfterMs?: number | undefined;
  /** Defaults: /dev/disk/by-id, /sys/dev/block, /run/udev/data. */
  readonly places?: Partial<DevicePlaces> | undefined;
  /** Default /dev/scini. */
  readonly controlDevice?: string | undefined;
  /** Default /proc/modules. */
  readonly modules?: string | undefined;
}

/** This host's SDC and what it is configured for. Rejections: AttachError, CancelledError. */
export interface HostSdc extends Attacher {
  /** The GUID as it is now: the configured one, else what drv_cfg says at this moment. */
  currentGuid(signal: AbortSignal): Promise<string>;
  /** Undefined when drv_cfg is missing and is not needed, because the GUID is configured. */
  configuredMdms(signal: AbortSignal): Promise<readonly KnownMdm[] | undefined>;
  addMdm(addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** The cluster that has the address `known` gets these addresses instead of those it had. */
  extendMdm(known: string, addresses: readonly string[], signal: AbortSignal): Promise<void>;
}

/** This host's SDC, as far as it can be known without the gateway. */
export function createLocalSdc(options: LocalSdcOptions): HostSdc {
  return new DrivenSdc(options);
}

const DEFAULT_PLACES: DevicePlaces = {
  byId: '/dev/disk/by-id',
  sysDevBlock: '/sys/dev/block',
  udevData: '/run/udev/data',
};
const ASK_WHY_MS = 3000;
const DEFAULT_DRV_CFG = '/opt/emc/scaleio/sdc/bin/drv_cfg';

class DrivenSdc implements HostSdc {
  readonly #clock: Omit<Clock, 'now'>;
  readonly #log: Log;
  readonly #drvCfg: DrvCfg;
  readonly #places: DevicePlaces;
  readonly #configuredGuid: string | undefined;
  readonly #deviceWaitMs: number;
  readonly #rescanAfterMs: number;
  readonly #mdmFile: string | undefined;
  #guid: string | undefined;

  constructor(options: LocalSdcOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#places = { ...DEFAULT_PLACES, ...options.places };
    this.#configuredGuid = options.guid?.toUpperCase();
    this.#mdmFile = options.mdmFile;
    this.#deviceWaitMs = options.deviceWaitMs ?? 30_000;
    this.#rescanAfterMs = options.rescanAfterMs ?? 2000;
    this.#drvCfg = new DrvCfg({
      path: options.drvCfgPath ?? DEFAULT_DRV_CFG,
      runner: options.runner,
      module: {
        controlDevice: options.controlDevice ?? '/dev/scini',
        modules: options.modules ?? '/proc/modules',
      },
    });
  }

  async guid(signal: AbortSignal): Promise<string> {
    this.#guid ??= await this.#askGuid(signal);
    return this.#guid;
  }

  async currentGuid(signal: AbortSignal): Promise<string> {
    this.#guid = await this.#askGuid(signal);
    return this.#guid;
  }

  /** A configured GUID is for where drv_cfg cannot be asked; where it can, it knows better and must agree. */
  async #askGuid(signal: AbortSignal): Promise<string> {
    const configured = this.#configuredGuid;
    if (configured === undefined) return this.#drvCfg.queryGuid(signal);
    const driven = await this.#guidIfKnown(signal);
    if (driven === undefined || driven.toUpperCase() === configured) return configured;
    throw new AttachError(
      `the configured GUID "${configured}" is not this host's: drv_cfg says "${driven}"`,
      {
        remedy: 'remove SCALEIO_GUID or correct it',
        problem: 'guid-mismatch',
        context: { configured, driven },
      },
    );
  }

  async #guidIfKnown(signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#drvCfg.queryGuid(signal);
    } catch (error) {
      if (!(error instanceof AttachError)) throw error;
      this.#log.debug({ reason: error.message }, 'drv_cfg does not tell the GUID; using the configured one');
      return undefined;
    }
  }

  async configuredMdms(signal: AbortSignal): Promise<readonly KnownMdm[] | undefined> {
    try {
      return await this.#drvCfg.queryMdms(signal);
    } catch (error) {
      if (this.#isNeedless(error)) return undefined;
      throw error;
    }
  }

  addMdm(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#drvCfg.addMdm(addresses, signal, this.#mdmFile);
  }

  extendMdm(known: string, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#drvCfg.modifyMdm(known, addresses, signal, this.#mdmFile);
  }

  findDevice(systemId: SystemId, volumeId: VolumeId): Promise<Device | undefined> {
    return new Promise((resolve) => {
      resolve(identifyDevice(this.#places, systemId, volumeId));
    });
  }

  async waitForDevice(systemId: SystemId, volumeId: VolumeId, signal: AbortSignal): Promise<Device> {
    const ended = new AbortController();
    const deadline = AbortSignal.any([signal, ended.signal]);
    const arrival = new Arrival(() => this.findDevice(systemId, volumeId));
    const limit = this.#clock.sleep(this.#deviceWaitMs, deadline).then(
      () => {
        ended.abort();
      },
      () => undefined,
    );
    // A rescan that runs when the device comes is left to finish; it ends by itself.
    void this.#rescanWhileWaiting(volumeId, { signal, waiting: deadline });
    try {
      const wait = { directory: this.#places.byId, clock: this.#clock, signal: deadline };
      return await waitUntil(() => arrival.look(), wait);
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      if (signal.aborted) throw cancelled(`waiting for the device of volume "${volumeId}"`, signal);
      throw arrival.problem ?? (await this.#missing(systemId, volumeId, signal));
    } finally {
      ended.abort();
      await limit;
    }
  }

  holdDevice(
    systemId: SystemId,
    volumeId: VolumeId,
    device: Device,
    signal: AbortSignal,
  ): Promise<HeldDevice> {
    const sight: Sight = {
      look: () => identifyDevice(this.#places, systemId, volumeId),
      anywhere: () => Number.parseInt(this.#clock.randomHex(8), 16) / 2 ** 32,
    };
    return holdDevice(sight, device, signal);
  }

  rescan(signal: AbortSignal): Promise<void> {
    return this.#drvCfg.rescan(signal);
  }

  async assertUsable(systemId: SystemId, signal: AbortSignal): Promise<void> {
    const mdms = await this.configuredMdms(signal);
    if (mdms === undefined) return;
    if (mdms.some((mdm) => mdm.systemId === systemId && mdm.sdcId !== null)) return;
    const addresses = mdms.flatMap((mdm) => mdm.addresses).join(', ') || 'none';
    throw new AttachError(
      `the SDC of this host is not connected to system "${systemId}" (MDM addresses: ${addresses})`,
      { remedy: 'check the network, or add it with "drv_cfg --add_mdm"', problem: 'not-connected' },
    );
  }

  /** With its GUID configured the SDC serves without a drv_cfg that can be run from here. */
  #isNeedless(error: unknown): boolean {
    const isMissing = error instanceof AttachError && error.problem === 'not-installed';
    return isMissing && this.#configuredGuid !== undefined;
  }

  /** The MDM tells the SDC of a mapping by itself; a rescan helps only when that message got lost. Never rejects. */
  async #rescanWhileWaiting(
    volumeId: VolumeId,
    ends: { signal: AbortSignal; waiting: AbortSignal },
  ): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(this.#rescanAfterMs, ends.waiting);
        this.#log.info({ volumeId }, 'device has not appeared, asking the SDC to rescan');
        await this.#drvCfg.rescan(ends.signal);
      }
    } catch (error) {
      if (error instanceof CancelledError) return;
      this.#log.warn({ volumeId, error }, 'cannot rescan, waiting for the device without');
    }
  }

  async #missing(systemId: SystemId, volumeId: VolumeId, signal: AbortSignal): Promise<AttachError> {
    const link = path.join(this.#places.byId, linkName(systemId, volumeId));
    const seconds = Math.round(this.#deviceWaitMs / 1000);
    const { why, remedy } = await this.#whyMissing(
      volumeId,
      AbortSignal.any([signal, AbortSignal.timeout(ASK_WHY_MS)]),
    );
    return new AttachError(`device "${link}" did not appear within ${seconds} s${why}`, {
      remedy: `${remedy}, and try again`,
      problem: 'device-missing',
      context: { volumeId, systemId },
    });
  }

  async #whyMissing(
    volumeId: VolumeId,
    signal: AbortSignal,
  ): Promise<{ readonly why: string; readonly remedy: string }> {
    try {
      const volumes = await this.#drvCfg.queryVolumes(signal);
      return volumes.some((volume) => volume.volumeId === volumeId)
        ? { why: ': the SDC has the volume but udev made no link', remedy: 'run "udevadm trigger"' }
        : { why: ': the SDC does not list the volume', remedy: 'check its connection to the MDM' };
    } catch (error) {
      this.#log.debug({ volumeId, error }, 'cannot ask the SDC for its volumes');
      return { why: '', remedy: 'see "drv_cfg --query_vols" and the kernel log of this host' };
    }
  }
}

/** Looks for a device that is arriving: what contradicts itself now may be right in a moment. */
class Arrival {
  problem: AttachError | undefined;
  readonly #find: () => Promise<Device | undefined>;

  constructor(find: () => Promise<Device | undefined>) {
    this.#find = find;
  }

  async look(): Promise<Device | undefined> {
    try {
      const device = await this.#find();
      this.problem = undefined;
      return device;
    } catch (error) {
      if (!(error instanceof AttachError)) throw error;
      this.problem = error;
      return undefined;
    }
  }
}
