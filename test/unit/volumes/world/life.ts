import type { CallContext } from '../../../../src/docker/driver-call.ts';
import { Driver } from '../../../../src/docker/driver.ts';
import { AddressWitness } from '../../../../src/volumes/address-witness.ts';
import type { VolumeHost, VolumePolicy } from '../../../../src/volumes/volume-host.ts';
import { OwnIdentity } from '../../../../src/volumes/identity.ts';
import type { Clock } from '../../../../src/runtime/clock.ts';
import type { Log, Trace } from '../../../../src/runtime/log.ts';
import { MarkerWatch } from '../../../../src/volumes/takeover/marker-watch.ts';
import { Reconciler, type ReconcileReport } from '../../../../src/volumes/upkeep/reconcile.ts';
import { arrayNameFor } from '../../../../src/volumes/naming.ts';
import { asVolumeName } from '../../../../src/volumes/volume.ts';
import { VolumeLock } from '../../../../src/volumes/life/volume-lock.ts';
import { asSystemId, type HostId } from '../../../../src/array/ids.ts';
import type { NewVolumes } from '../../../../src/volumes/options/classes.ts';
import type { FakeArray } from './fake-array.ts';
import { FakeFilesystems } from './fake-filesystems.ts';
import { FakeGateway } from './fake-gateway.ts';
import { FakeDroppedRestores, type FakeDisk, FakeFenceLog, FakeJournal } from './fake-journal.ts';
import type { FakeKernel } from './fake-kernel.ts';
import { FakeSdc } from './fake-sdc.ts';
import { Steps } from './steps.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const POLICY: VolumePolicy = {
  prefix: 'docker-',
  failover: 'disconnected',
  heldWaitMs: 10_000,
  abandonedMountMs: 60_000,
  inheritedMountMs: 20_000,
  releaseWaitMs: 100,
  cleanupMs: 60_000,
  lateMs: 60_000,
  removeGraceMs: 0,
  refuseAbovePercent: undefined,
  takeover: { graceMs: 2000, pollMs: 1000, idleWindowMs: 3000, moveLimit: 3, moveWindowMs: 600_000 },
};

/** The core's tests look at what happens, not at whose log lines it makes. */
const untraced: Trace = { apart: (_what, work) => work(), here: () => (work) => work() };

export interface TestCall extends CallContext {
  /** The client hangs up. */
  readonly leave: () => void;
  /** The call's own deadline passes. */
  readonly expire: () => void;
}

/** What all hosts share. */
export interface Surroundings {
  readonly array: FakeArray;
  readonly clock: VirtualClock;
}

/** The host that a life of the plugin is lived on. */
export interface LivedHost {
  readonly world: Surroundings;
  readonly sdcId: HostId;
  readonly mayFence: boolean;
  gatewayUp: boolean;
  readonly name: string;
  readonly guid: string;
  readonly ip: string;
  readonly bootId: string;
  readonly kernel: FakeKernel;
  readonly disk: FakeDisk;
  readonly defaults: NewVolumes['defaults'];
  readonly classes: NewVolumes['classes'];
  readonly otherPlugin: string | undefined;
  readonly otherServes: string;
  draw(digits: number): string;
}

/** One run of the plugin's core on a host, from its start to its death. */
export class Life {
  readonly steps = new Steps();
  readonly gateway: FakeGateway;
  readonly sdc: FakeSdc;
  readonly host: VolumeHost;
  readonly driver: Driver;
  readonly lock: VolumeLock;
  readonly reconciler: Reconciler;
  /** Mountpoints that were made ahead and are still needed. */
  readonly mountpoints: ReadonlySet<string>;
  readonly lines: string[] = [];
  nudges = 0;
  /** The context of the call made last. */
  latestCall: TestCall | undefined;
  #requests = 0;

  constructor(on: LivedHost, policy: VolumePolicy) {
    const { array, clock } = on.world;
    const { steps } = this;
    this.gateway = new FakeGateway(array, clock, on);
    this.sdc = new FakeSdc({
      kernel: on.kernel,
      clock,
      guid: on.guid,
      systemId: asSystemId(array.systemId),
    });
    const filesystems = new FakeFilesystems({
      kernel: on.kernel,
      array,
      clock,
      hostName: on.name,
      midway: (method) => steps.pass('filesystems', method, 'midway'),
    });
    this.mountpoints = filesystems.mountpoints;
    const journal = new FakeJournal(on.disk, { bootId: on.bootId, clock }, () => !steps.isDead);
    const ownClock: Clock = {
      now: () => clock.now(),
      elapsed: () => clock.elapsed(),
      randomHex: (digits) => on.draw(digits),
      sleep: steps.aroundSleep((ms, signal) => clock.sleep(ms, signal)),
    };
    const ports = {
      array: steps.around('array', this.gateway, []),
      attacher: steps.around('sdc', this.sdc, ['holdDevice']),
      filesystems: steps.around('filesystems', filesystems, ['mountpointOf', 'spareMountpoint']),
      journal: steps.around('journal', journal, [
        'get',
        'all',
        'ageMs',
        'known',
        'allKnown',
        'remember',
        'forget',
      ]),
    };
    const log = this.#log();
    const witness = new AddressWitness(() => [on.ip], ownClock, log);
    const sole = {
      claim: (key: string) => Promise.resolve(key.startsWith(on.otherServes) ? on.otherPlugin : undefined),
    };
    const identity = new OwnIdentity(
      { array: ports.array, attacher: ports.attacher, sole, witness },
      { prefix: policy.prefix, endpoints: ['https://gateway'] },
    );
    const fences = new FakeFenceLog(on.disk, clock, () => !steps.isDead);
    const readiness = { problem: () => undefined, doubt: () => undefined };
    this.host = {
      ...ports,
      fences,
      identity,
      readiness,
      clock: ownClock,
      log,
      trace: untraced,
      policy,
      deviceUsers: on.kernel.deviceUsers,
      releasedUnrecorded: new Set(),
      markers: new MarkerWatch({ array: ports.array, clock: ownClock, journal: ports.journal, log }),
      droppedRestores: new FakeDroppedRestores(on.disk, () => !steps.isDead),
    };
    const arrayNameOf = (name: string): string => arrayNameFor(policy.prefix, asVolumeName(name));
    const lock = new VolumeLock(ownClock, arrayNameOf);
    this.lock = lock;
    this.driver = new Driver(this.host, on, lock, () => (this.nudges += 1));
    this.reconciler = new Reconciler(this.host, lock);
  }

  /** A call's context; nothing fires unless the test says so. */
  call(): TestCall {
    const deadline = new AbortController();
    const client = new AbortController();
    this.#requests += 1;
    this.latestCall = {
      signal: deadline.signal,
      clientGone: client.signal,
      requestId: `r${this.#requests}`,
      leave: () => {
        client.abort();
      },
      expire: () => {
        deadline.abort();
      },
    };
    return this.latestCall;
  }

  create(name: string, options: Record<string, string> = {}, call = this.call()): Promise<void> {
    return this.driver.create(name, options, call);
  }

  mount(name: string, id: string, call = this.call()): Promise<string> {
    return this.driver.mount(name, id, call);
  }

  unmount(name: string, id: string, call = this.call()): Promise<void> {
    return this.driver.unmount(name, id, call);
  }

  remove(name: string, call = this.call()): Promise<void> {
    return this.driver.remove(name, call);
  }

  get(name: string, call = this.call()): ReturnType<Driver['get']> {
    return this.driver.get(name, call);
  }

  reconcile(): Promise<ReconcileReport> {
    return this.reconciler.run(this.call().signal);
  }

  kill(): void {
    this.steps.kill();
  }

  #log(): Log {
    const line = (level: string) => (facts: object, message: string) => {
      this.lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }
}
