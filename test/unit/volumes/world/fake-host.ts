import { BUILT_IN_DEFAULTS, type OptionValues } from '../../../../src/volumes/options/option-table.ts';
import type { VolumeClasses } from '../../../../src/volumes/options/classes.ts';
import type { VolumePolicy } from '../../../../src/volumes/volume-host.ts';
import type { HostId } from '../../../../src/array/ids.ts';
import { FakeDisk } from './fake-journal.ts';
import { FakeKernel } from './fake-kernel.ts';
import { Life, POLICY, type Surroundings } from './life.ts';

/** A Docker host: what outlives its plugin, and the plugin's present life. */
export class FakeHost {
  readonly name: string;
  sdcId: HostId;
  guid: string;
  readonly ip: string;
  readonly world: Surroundings;
  readonly kernel: FakeKernel;
  readonly disk = new FakeDisk();
  policy: VolumePolicy = POLICY;
  /** What the operator chose for new volumes. */
  defaults: OptionValues = BUILT_IN_DEFAULTS;
  classes: VolumeClasses = new Map();
  gatewayUp = true;
  /** True: this host may take volumes from others. */
  mayFence = false;
  /** True: the machine hangs, and goes on later as if nothing had been. */
  isFrozen = false;
  /** Who else serves this host's volumes; undefined: nobody. */
  otherPlugin: string | undefined;
  /** What it is known by: 'gateway', 'system', or '' for both. */
  otherServes = '';
  bootId = 'boot 1';
  #boots = 1;
  #drawn = 0;
  #life: Life | undefined;

  constructor(world: Surroundings, number: number) {
    this.world = world;
    this.name = `host${number}`;
    this.sdcId = `c0ffee000000000${number}` as HostId;
    this.guid = `GUID-${number}`;
    this.ip = `10.0.0.${number}`;
    this.kernel = new FakeKernel(world.array, world.clock, this.name);
    const { name, sdcId: id, guid, ip } = this;
    world.array.sdcs.set(id, {
      id,
      name,
      guid,
      address: ip,
      isApproved: true,
      kind: 'sdc',
      addresses: [ip],
      approvedAddresses: [],
      version: null,
      state: 'connected',
      osType: 'Linux',
    });
    world.array.listeners.set(id, this.kernel);
  }

  /** Chance is a counter of each host, so that the order of events between hosts does not change it. */
  draw(digits: number): string {
    this.#drawn += 1;
    return this.#drawn.toString(16).padStart(digits, '0');
  }

  /** Everything here that decides what can happen next, as text. */
  get fingerprint(): string {
    const { disk, kernel, life } = this;
    return JSON.stringify([
      [...disk.entries.values()],
      kernel.mounts.map(({ mountpoint, volume }) => [mountpoint, volume.id]),
      kernel.holderNames,
      kernel.cutOffNames,
      disk.fences,
      this.gatewayUp,
      this.isFrozen,
      life.steps.isDead,
      life.steps.observed,
    ]);
  }

  /** The plugin that runs now; started when there is none. */
  get life(): Life {
    this.#life ??= new Life(this, this.policy);
    return this.#life;
  }

  /** The array shows our SDC at this address: another machine with our GUID has connected. */
  isSeenAt(ip: string): void {
    const { sdcs } = this.world.array;
    const sdc = sdcs.get(this.sdcId);
    if (sdc !== undefined) sdcs.set(this.sdcId, { ...sdc, address: ip, addresses: [ip] });
  }

  /** Its GUID is set, or was copied with the whole machine, from another host. */
  pretendsToBe(other: FakeHost): void {
    this.#life?.kill();
    this.#life = undefined;
    this.sdcId = other.sdcId;
    this.guid = other.guid;
  }

  /** kill -9 of the plugin, and its next start on the same kernel and disk. */
  restart(): Life {
    this.#life?.kill();
    this.#life = new Life(this, this.policy);
    return this.#life;
  }

  /** Power cut: nothing of the host happens any more, and the MDM notices that its SDC is silent. */
  powerOff(): void {
    this.#life?.kill();
    this.kernel.powerOff();
    this.world.array.setConnected(this.sdcId, false);
  }

  /** Power cut of the whole host, and its next boot. */
  reboot(): Life {
    this.#life?.kill();
    this.world.array.setConnected(this.sdcId, true);
    this.#boots += 1;
    this.bootId = `boot ${this.#boots}`;
    this.kernel.reboot();
    return this.restart();
  }
}
