import { cp } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createVolume } from '../stage/containers.ts';
import { leftOn, stateOf, untilNothingLeft } from '../stage/left-on-host.ts';
import {
  assertKept,
  parseRecords,
  RECORDING,
  type Testimony,
  testimoniesOn,
  writersInTurn,
} from '../stage/records.ts';
import type { ArrayStage } from '../stage/stage.ts';
import type { Host } from '../hosts/host.ts';
import { BUSYBOX } from '../hosts/image.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { until } from '../hosts/until.ts';
import { type Act, healing, planOf, wordsFor } from './plan.ts';

/** Settings under which the plugin settles within seconds. */
export const quick = {
  SCALEIO_FAILOVER_GRACE: '1s',
  SCALEIO_FAILOVER_IDLE_WINDOW: '3s',
  SCALEIO_RECONCILE_INTERVAL: '2s',
  SCALEIO_MOVE_LIMIT: '1000',
} as const;

/** A volume for each failover policy that lets something move. */
const policies: Readonly<Record<string, string>> = {
  loyal: 'disconnected',
  rover: 'always',
  lazy: 'idle',
};

/** Where the logs of a run stay that found something. */
const logs = path.resolve(import.meta.dirname, '../../.cache/random');

/** The longest that one step waits for a container to start or stop before the next begins, ms. */
const PACE_MS = 2500;

export interface RandomRun {
  readonly seed: number;
  readonly steps: number;
  readonly say: (line: string) => void;
}

export interface Found {
  readonly records: number;
  readonly acknowledged: number;
  readonly fences: number;
  readonly starts: { readonly ok: number; readonly refused: number };
}

/**
 * Lets the acts of a seed befall three hosts, makes everything well again, and looks at what must hold: at no time more
 * than one mapping of a volume; in the end journal, mounts and mappings agree, each acknowledged record is on its volume,
 * in order, with none between that nobody wrote; and nothing is left when the containers are gone. Throws what does not.
 */
export async function runRandomly(stage: ArrayStage, run: RandomRun): Promise<Found> {
  const round = new Round(stage, run);
  try {
    await round.begin();
    await round.happen();
    await round.heal();
    return await round.judge();
  } catch (cause) {
    const kept = path.join(logs, `seed-${run.seed}`);
    for (const { name, directory } of stage.lab.hosts) {
      await cp(path.join(directory, 'dockerd.log'), path.join(kept, `${name}.log`));
    }
    await cp(path.join(stage.lab.directory, 'simulator.log'), path.join(kept, 'simulator.log'));
    throw new Error(`SEED=${run.seed}: ${String(cause)}\nthe engines' and plugins' logs are in ${kept}`, {
      cause,
    });
  }
}

/**
 * As an operator does where the engine has given up: it looks for the plugin's socket only every 3 s after it started the process, and
 * takes one that dies before the second look, as a second blow soon after the first makes it, for one that cannot start; such a plugin
 * it disables for good. [moby manager_linux.go pluginPostStart]
 */
async function enableAgain(host: Host): Promise<void> {
  const enabled = await host.docker(['plugin', 'inspect', '--format', '{{.Enabled}}', DRIVER]);
  if (enabled.trim() === 'false') await host.docker(['plugin', 'enable', DRIVER]);
}

class Round {
  readonly #stage: ArrayStage;
  readonly #run: RandomRun;
  readonly #volumes: readonly string[];
  readonly #plan: readonly Act[];
  readonly #pending = new Set<Promise<void>>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #faults: string[] = [];
  #arrayIsOn = true;
  #container = 0;
  #starts = { ok: 0, refused: 0 };

  constructor(stage: ArrayStage, run: RandomRun) {
    this.#stage = stage;
    this.#run = run;
    // Short: a record has room for a writer's name of 24 characters, with its host and container.
    this.#volumes = Object.keys(policies).map((name) => `${name}-${run.seed % 1000}`);
    this.#plan = planOf(run.seed, run.steps, this.#field);
  }

  get #field(): { hosts: number; volumes: readonly string[] } {
    return { hosts: this.#stage.lab.hosts.length, volumes: this.#volumes };
  }

  async begin(): Promise<void> {
    for (const volume of this.#volumes) {
      const failover = policies[volume.split('-')[0] ?? ''] ?? 'disconnected';
      await createVolume(this.#stage.lab.host(1), volume, { size: '8GiB', failover });
    }
  }

  async happen(): Promise<void> {
    for (const [index, act] of this.#plan.entries()) {
      this.#run.say(`step ${index + 1}: ${wordsFor(act)}`);
      await this.#do(act);
      await this.#sample(index + 1);
    }
  }

  async heal(): Promise<void> {
    for (const act of healing(this.#plan, this.#field)) {
      this.#run.say(`healing: ${wordsFor(act)}`);
      await this.#do(act);
    }
    await Promise.all(this.#pending);
    for (const host of this.#stage.lab.hosts) {
      await until(`the plugin of ${host.name} to answer`, async () => {
        await enableAgain(host);
        return (await host.docker(['volume', 'ls', '--quiet'])).includes(this.#volumes[0] ?? '');
      });
    }
  }

  async judge(): Promise<Found> {
    const { lab, array } = this.#stage;
    for (const host of lab.hosts) await this.#agrees(host);
    await this.#sample(this.#plan.length + 1);
    for (const host of lab.hosts) await this.#stopAll(host);
    for (const host of lab.hosts) await untilNothingLeft(array, host, 120_000);
    const testimonies = (await Promise.all(lab.hosts.map(testimoniesOn))).flat();
    for (const host of lab.hosts) await this.#removeContainers(host);
    let records = 0;
    for (const volume of this.#volumes) records += await this.#judgeVolume(volume, testimonies);
    if (this.#faults.length > 0) throw new Error(this.#faults.join('\n'));
    const mine = testimonies.filter(({ writer }) =>
      this.#volumes.some((volume) => writer.startsWith(`${volume}.`)),
    );
    const acknowledged = mine.reduce((sum, one) => sum + one.acknowledged.length, 0);
    return { records, acknowledged, fences: await this.#fences(), starts: this.#starts };
  }

  async #judgeVolume(volume: string, testimonies: readonly Testimony[]): Promise<number> {
    const host = this.#stage.lab.host(1);
    const records = parseRecords(await readWhole(host, volume));
    writersInTurn(records);
    const writers = testimonies.filter(({ writer }) => writer.startsWith(`${volume}.`));
    assertKept(records, writers);
    const strange = records.filter((record) => !writers.some(({ writer }) => writer === record.writer));
    if (strange.length > 0)
      throw new Error(`${volume} holds records of nobody: ${JSON.stringify(strange[0])}`);
    await untilNothingLeft(this.#stage.array, host);
    await host.docker(['volume', 'rm', volume]);
    return records.length;
  }

  async #fences(): Promise<number> {
    const logs = this.#stage.lab.hosts.map(async (host) => {
      const text = await host.exec([
        'sh',
        '-c',
        'cat /var/lib/docker/plugins/*/propagated-mount/state/fences',
      ]);
      return text.split('\n').filter((line) => this.#volumes.some((volume) => line.includes(`"${volume}"`)))
        .length;
    });
    return (await Promise.all(logs.map((log) => log.catch(() => 0)))).reduce((sum, one) => sum + one, 0);
  }

  async #do(act: Act): Promise<void> {
    const { lab, array } = this.#stage;
    if (act.kind === 'start' || act.kind === 'stop') return this.#inTurn(act, lab.host(act.host), act.volume);
    if (act.kind === 'kill-array') {
      this.#arrayIsOn = false;
      return array.kill();
    }
    if (act.kind === 'start-array') {
      await array.start();
      this.#arrayIsOn = true;
      return;
    }
    if (act.kind === 'move-mdm') return this.#control('/simulator/failover', { seconds: 3 });
    if ('host' in act) await this.#befall(lab.host(act.host), act.kind);
  }

  async #befall(host: Host, kind: string): Promise<void> {
    const guid = this.#stage.array.guidOf(host);
    const acts: Readonly<Record<string, () => Promise<unknown>>> = {
      'power-off': () => host.powerOff(),
      boot: () => host.boot(),
      freeze: () => host.freeze(),
      thaw: () => host.thaw(),
      'kill-dockerd': () => host.killDockerd(),
      'start-dockerd': () => host.startDockerd(),
      'kill-plugin': () => this.#killPlugin(host),
      'cut-storage': () => host.cutNetwork('storage'),
      'restore-storage': () => host.restoreNetwork('storage'),
      'cut-cluster': () => host.cutNetwork('cluster'),
      'restore-cluster': () => host.restoreNetwork('cluster'),
      'silence-sdc': () => this.#control('/simulator/sdcs', { guid, silent: true }),
      'hear-sdc': () => this.#control('/simulator/sdcs', { guid, silent: false }),
    };
    await acts[kind]?.();
  }

  /** The engine may be about to start the plugin anew after an earlier blow. */
  async #killPlugin(host: Host): Promise<void> {
    if ((await host.pluginProcess()) !== undefined) await host.killPlugin();
  }

  async #control(url: string, body: object): Promise<void> {
    const { status } = await this.#stage.array.request('POST', url, body);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
  }

  /** One host has one container of a volume at a time, so that only one numbers its records. */
  async #inTurn(act: Act, host: Host, volume: string): Promise<void> {
    const key = `${host.name} ${volume}`;
    const before = this.#turns.get(key) ?? Promise.resolve();
    const work = before.then(() =>
      act.kind === 'start' ? this.#start(host, volume) : this.#stop(host, volume),
    );
    this.#turns.set(
      key,
      work.catch(() => undefined),
    );
    await this.#paced(act, work);
  }

  /** What a host is asked may take as long as it likes; the next step comes soon all the same. */
  async #paced(act: Act, work: Promise<string>): Promise<void> {
    const done = work.then(
      (said) => {
        this.#run.say(`  ${wordsFor(act)}: ${said}`);
      },
      (error: unknown) => {
        this.#run.say(`  ${wordsFor(act)}: ${String(error).slice(0, 400)}`);
      },
    );
    this.#pending.add(done);
    void done.then(() => this.#pending.delete(done));
    const turn = new AbortController();
    await Promise.race([done, delay(PACE_MS, undefined, { signal: turn.signal }).catch(() => undefined)]);
    turn.abort();
  }

  async #start(host: Host, volume: string): Promise<string> {
    const name = `rec-${volume}-${(this.#container += 1)}`;
    const writer = ['--env', `WRITER=${volume}.${host.name}`, '--label', `volume=${volume}`];
    const mount = mountOf(volume);
    await this.#stop(host, volume);
    try {
      await host.docker([
        'run',
        '--detach',
        '--name',
        name,
        ...writer,
        ...mount,
        BUSYBOX,
        'sh',
        '-c',
        RECORDING,
      ]);
      this.#starts.ok += 1;
      return 'runs';
    } catch (error) {
      this.#starts.refused += 1;
      throw error;
    }
  }

  /** Ends whatever records there; the dead containers keep what they said. */
  async #stop(host: Host, volume: string): Promise<string> {
    const running = await host.docker(['ps', '--quiet', '--filter', `label=volume=${volume}`]);
    const ids = running.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await host.docker(['kill', ...ids]);
    return `stopped ${ids.length}`;
  }

  async #stopAll(host: Host): Promise<void> {
    for (const volume of this.#volumes) await this.#stop(host, volume);
  }

  async #removeContainers(host: Host): Promise<void> {
    for (const volume of this.#volumes) {
      const all = await host.docker(['ps', '--all', '--quiet', '--filter', `label=volume=${volume}`]);
      const ids = all.split('\n').filter((id) => id !== '');
      if (ids.length > 0) await host.docker(['rm', '--force', ...ids]);
    }
  }

  /** One mapping of a volume at most, whatever has just happened. */
  async #sample(step: number): Promise<void> {
    if (!this.#arrayIsOn) return;
    const { sdcs } = await stateOf(this.#stage.array);
    const mapped = sdcs.flatMap(({ volumes }) => volumes);
    const twice = mapped.filter((id, index) => mapped.indexOf(id) !== index);
    if (twice.length > 0)
      this.#faults.push(`after step ${step} the volumes ${twice.join()} have two mappings`);
  }

  /** Journal, mounts, links and mappings tell of the same volumes. */
  async #agrees(host: Host): Promise<void> {
    let left: string[] = [];
    await until(
      `journal, mounts and mappings of ${host.name} to agree`,
      async () => {
        left = await leftOn(this.#stage.array, host);
        const of = (kind: string, pattern: RegExp): Set<string> =>
          new Set(left.flatMap((one) => (one.startsWith(kind) ? (pattern.exec(one)?.[1] ?? []) : [])));
        const entries = of('entry ', /^entry (.*)$/);
        const attachments = of('mapping ', /of (.*)$/);
        // A mount shows once for each way in which the host sees it.
        const mounts = of('mount ', /docker-([^/]*)$/);
        const links = of('link ', /-([0-9a-f]+)$/);
        const isSame = (one: Set<string>, other: Set<string>): boolean =>
          [...one].sort().join() === [...other].sort().join();
        return isSame(entries, mounts) && isSame(attachments, links) && entries.size === attachments.size;
      },
      { timeoutMs: 120_000 },
    ).catch((cause: unknown) => {
      throw new Error(`${host.name} does not agree with itself: ${left.join(', ')}`, { cause });
    });
  }
}

/** The driver is named, because an engine that cannot ask for a volume makes a local one of that name instead. */
function mountOf(volume: string): string[] {
  return ['--mount', `type=volume,source=${volume},target=/data,volume-driver=${DRIVER}`];
}

async function readWhole(host: Host, volume: string): Promise<string> {
  const read = ['sh', '-c', '[ ! -e /data/records ] || cat /data/records'];
  const text = await host.docker(['run', '--rm', ...mountOf(volume), BUSYBOX, ...read]);
  return text === '' ? '' : `${text}\n`; // the host's exec takes the last newline away
}
