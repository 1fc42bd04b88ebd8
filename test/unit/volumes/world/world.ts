import type { PoolId } from '../../../../src/array/ids.ts';
import { parseMarker } from '../../../../src/volumes/naming.ts';
import type { FilesystemContent } from './content.ts';
import { FakeArray, type StoredVolume } from './fake-array.ts';
import { FakeHost } from './fake-host.ts';
import type { Life } from './life.ts';
import { VirtualClock, turn } from './virtual-clock.ts';

const PREFIX = 'docker-';
const POOL = 'd0d0000000000001' as PoolId;

/** How a call ended when its life may have died under it. */
export type Ending<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'died' };

/** One array and some hosts, on one clock that tests move. */
export class World {
  readonly clock = new VirtualClock();
  readonly array = new FakeArray();
  readonly hosts: readonly FakeHost[];

  constructor(hosts = 1) {
    this.array.pools.set(POOL, {
      id: POOL,
      name: 'pool1',
      domainId: 'dd00000000000001',
      domainName: 'domain1',
      zeroPadding: true,
    });
    this.hosts = Array.from({ length: hosts }, (_, index) => new FakeHost(this, index + 1));
  }

  host(number: number): FakeHost {
    const host = this.hosts[number - 1];
    if (host === undefined) throw new Error(`no host ${number}`);
    return host;
  }

  /** The array's volume behind a Docker name that fits as it is. */
  volume(name: string): StoredVolume {
    return this.array.named(PREFIX + name);
  }

  content(name: string): FilesystemContent {
    const { content } = this.volume(name);
    if (content.kind !== 'filesystem') throw new Error(`"${name}" holds ${content.kind}`);
    return content;
  }

  exists(name: string): boolean {
    return this.array.byName(PREFIX + name) !== undefined;
  }

  /** Waits for a call, letting time pass only when nothing else can happen. */
  async run<T>(work: Promise<T>): Promise<T> {
    const ending = await this.runToEnd(work);
    if (ending.kind === 'answered') return ending.value;
    if (ending.kind === 'failed') throw ending.error;
    throw new Error('the call waits for something that never comes');
  }

  /** As run, for a call whose life may die: it has ended when nothing is left that could happen. */
  async runToEnd<T>(work: Promise<T>, life?: Life): Promise<Ending<T>> {
    let ending: Ending<T> | undefined;
    work.then(
      (value) => (ending = { kind: 'answered', value }),
      (error: unknown) => (ending = { kind: 'failed', error }),
    );
    const ended = (): Ending<T> | undefined => ending;
    for (;;) {
      await turn();
      const done = ended();
      if (done !== undefined) return done;
      const wake = this.clock.nextWakeMs;
      if (life?.steps.isDead === true || wake === undefined) return { kind: 'died' };
      this.clock.advanceTo(wake);
    }
  }

  /** Time passes and everybody who waits for it goes on. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.elapsed() + ms;
    await turn();
    for (
      let wake = this.clock.nextWakeMs;
      wake !== undefined && wake <= until;
      wake = this.clock.nextWakeMs
    ) {
      this.clock.advanceTo(wake);
      await turn();
    }
    this.clock.advanceTo(until);
    await turn();
  }

  /** Rounds of the reconciler of every host, with the time between them in which things settle. */
  async reconcileAll(rounds = 3): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const host of this.hosts) await this.run(host.life.reconcile());
      await this.pass(70_000);
    }
  }

  /** Everything that is not as it must be when nobody uses any volume: empty when all is well. */
  leaks(): string[] {
    const leaks = [...this.array.violations];
    for (const volume of this.array.volumes.values()) {
      if (volume.name.startsWith('~new.')) leaks.push(`provisional volume ${volume.name}`);
      if (volume.kind === 'snapshot' && !this.array.volumes.has(volume.ancestorId ?? volume.id))
        leaks.push(`orphan marker ${volume.name}`);
      const marked = parseMarker(volume.name)?.volumeId;
      if (volume.kind !== 'snapshot' && marked !== undefined && !this.array.volumes.has(marked))
        leaks.push(`orphan stand-in ${volume.name}`);
      for (const hostId of volume.mappings.keys()) leaks.push(`mapping of ${volume.name} to ${hostId}`);
    }
    for (const { name, kernel, disk } of this.hosts) {
      for (const { mountpoint } of kernel.mounts) leaks.push(`${name}: mount at ${mountpoint}`);
      for (const id of kernel.attachedIds) leaks.push(`${name}: device of ${id}`);
      for (const entry of disk.entries.values())
        leaks.push(`${name}: journal entry ${entry.name} ${entry.phase} [${entry.holders.join()}]`);
    }
    return leaks;
  }
}
