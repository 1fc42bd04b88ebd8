import { GatewayUnavailableError, InvalidRequestError, VolumeInUseError } from '../../../../src/errors.ts';
import { VolumeOperator } from '../../../../src/volumes/takeover/operator.ts';
import type { FailoverPolicy } from '../../../../src/volumes/volume.ts';
import { Scheduler, type Choice, type Story } from './explore.ts';
import type { FakeHost } from './fake-host.ts';
import { POLICY, type Life } from './life.ts';
import { turn } from './virtual-clock.ts';
import { World } from './world.ts';

/** What may befall a host beside its own steps, each once. */
export type Blow =
  | 'dies'
  | 'boots'
  | 'loses the array'
  | 'comes back'
  | 'freezes'
  | 'thaws'
  | 'loses the gateway'
  | 'finds the gateway'
  | 'reconciles'
  | 'restarts its plugin'
  | 'gives'
  | 'wants it again';

/** What a blow must come after. */
const AFTER: Partial<Record<Blow, Blow>> = {
  boots: 'dies',
  thaws: 'freezes',
  'comes back': 'loses the array',
  'finds the gateway': 'loses the gateway',
};

export interface Rivalry {
  readonly hosts: 2 | 3;
  readonly policy: FailoverPolicy;
  /** False: nobody holds the volume in the beginning, and host 1 wants it as the others do. */
  readonly held: boolean;
  /** True: whoever has the volume does I/O all the time. */
  readonly busy?: true;
  /** Number of a host to which one reply of the array may get lost. */
  readonly losesReply?: number;
  /** True: somebody with a terminal takes the volume by force from whoever has it. */
  readonly forced?: true;
  /** How often a host may take the volume. */
  readonly moveLimit?: number;
  readonly blows: readonly { readonly host: number; readonly blow: Blow }[];
}

interface Told {
  readonly world: World;
  readonly scheduler: Scheduler;
  readonly rivalry: Rivalry;
  readonly answers: Map<string, string | Error>;
  readonly fallen: Set<string>;
  /** Writes that a container was told are there. */
  readonly written: Map<string, string>;
}

const waits = { graceMs: 1000, pollMs: 1000, idleWindowMs: 1000 };

/** Hosts that want one volume at the same instant, while some of them are struck. Rules 1 and 2 hold in every state. */
export async function rivals(rivalry: Rivalry): Promise<Story> {
  const { hosts, policy, held } = rivalry;
  // The terminal is a machine of its own, whose SDC holds nothing.
  const world = new World(rivalry.forced === true ? hosts + 1 : hosts);
  const [first] = world.hosts;
  if (first === undefined) throw new Error('no hosts');
  for (const host of world.hosts) {
    host.kernel.deviceDelayMs = 0;
    host.mayFence = true;
    const { moveLimit = POLICY.takeover.moveLimit } = rivalry;
    host.policy = { ...POLICY, takeover: { ...POLICY.takeover, ...waits, moveLimit } };
  }
  await world.run(first.life.create('db', { failover: policy }));
  world.content('db').files.set('precious', 'data');
  for (const { life } of world.hosts) {
    await world.run(life.get('db'));
    await world.run(life.host.identity.current(life.call().signal));
  }
  const scheduler = new Scheduler();
  const told: Told = {
    world,
    scheduler,
    rivalry,
    answers: new Map(),
    fallen: new Set(),
    written: new Map(),
  };
  if (rivalry.busy === true) world.volume('db').recentIo = 5;
  if (held) first.kernel.bind('c1', await world.run(first.life.mount('db', 'c1')));
  world.hosts.forEach((host, index) => {
    host.life.steps.hook = scheduler.hookFor(host);
    if (index >= hosts) forceFrom(told, host);
    else if (!held || index > 0) want(told, host, `c${index + 1}`);
  });
  if (rivalry.losesReply !== undefined) scheduler.mayLoseReply(world.host(rivalry.losesReply));
  const isOver = (): boolean => world.hosts.every((host) => told.answers.has(host.name) || isOut(host, told));
  return {
    world,
    scheduler,
    events: () => (isOver() ? [] : blowsLeft(told)),
    memory: () => [...told.fallen, ...told.answers.keys(), scheduler.lossesLeft].sort().join(),
    invariant: () => broken(told),
    ending: () => end(told, scheduler),
  };
}

function isOut(host: FakeHost, { rivalry }: Told): boolean {
  return host.life.steps.isDead || (rivalry.held && host.name === 'host1');
}

/** What `volume force-release --yes` does. */
function forceFrom({ answers }: Told, { name, life }: FakeHost): void {
  const operator = new VolumeOperator(life.host, life.host.policy);
  const force = async (): Promise<void> => {
    const held = await operator.look('db', life.call().signal);
    if (held.holders.length === 0) return;
    await operator.forceRelease(held, operator.chooseHolder(held, undefined), name, life.call().signal);
  };
  force().then(
    () => answers.set(name, 'forced'),
    (error: unknown) => answers.set(name, error instanceof Error ? error : new Error(String(error))),
  );
}

function want({ world, answers }: Told, host: FakeHost, who: string): void {
  const { life, kernel, name } = host;
  life.mount('db', who).then(
    (path) => {
      answers.set(name, 'ok');
      // A container whose host was fenced meanwhile finds no mount; it does not start.
      if (world.volume('db').mappings.has(host.sdcId)) kernel.bind(who, path);
    },
    (error: unknown) => answers.set(name, error instanceof Error ? error : new Error(String(error))),
  );
}

function blowsLeft(told: Told): Choice[] {
  const { rivalry, fallen, world } = told;
  return rivalry.blows.flatMap(({ host: number, blow }) => {
    const label = `host${number} ${blow}`;
    const host = world.host(number);
    const before = AFTER[blow];
    const isTooEarly = before !== undefined && !fallen.has(`host${number} ${before}`);
    const isTooLate = (blow !== 'boots' && host.life.steps.isDead) || (blow !== 'thaws' && host.isFrozen);
    if (fallen.has(label) || isTooEarly || isTooLate) return [];
    const take = (): void => {
      fallen.add(label);
      strike(told, host, blow);
    };
    return [{ label, take }];
  });
}

function strike(told: Told, host: FakeHost, blow: Blow): void {
  const { world } = told;
  if (blow === 'boots') begin(told, host.reboot(), host);
  if (blow === 'restarts its plugin') begin(told, host.restart(), host);
  if (blow === 'dies') host.powerOff();
  if (blow === 'loses the array') world.array.setConnected(host.sdcId, false);
  if (blow === 'comes back') world.array.setConnected(host.sdcId, true);
  if (blow === 'freezes' || blow === 'thaws') {
    host.isFrozen = blow === 'freezes';
    world.array.setConnected(host.sdcId, !host.isFrozen);
  }
  if (blow === 'loses the gateway') host.gatewayUp = false;
  if (blow === 'finds the gateway') host.gatewayUp = true;
  if (blow === 'wants it again') want(told, host, `again${host.name}`);
  if (blow === 'reconciles') host.life.reconcile().catch(ignoreUnavailable);
  if (blow === 'gives') {
    host.kernel.letGo('c1');
    host.life.unmount('db', 'c1').catch(ignoreUnavailable);
  }
}

/** As a plugin begins: with a look at what is there. */
function begin({ scheduler }: Told, life: Life, host: FakeHost): void {
  life.steps.hook = scheduler.hookFor(host);
  life.reconcile().catch(ignoreUnavailable);
}

function ignoreUnavailable(cause: unknown): void {
  if (!(cause instanceof GatewayUnavailableError)) throw cause;
}

/** What must never be, whatever happened: looked at in every state, with every container trying to write. */
function broken(told: Told): string[] {
  const { world, written } = told;
  const { mappings } = world.volume('db');
  const faults = [...world.array.violations];
  if (mappings.size > 1) faults.push(`rule 1: mapped to ${[...mappings.keys()].join()}`);
  for (const { kernel, sdcId, name, isFrozen } of world.hosts) {
    if (isFrozen) continue;
    for (const who of kernel.holderNames) {
      const record = `${who} ${written.size}`;
      try {
        kernel.write(who, record, who);
      } catch {
        continue;
      }
      written.set(record, who);
      if (!mappings.has(sdcId)) faults.push(`${who} on ${name} wrote after its fence`);
    }
  }
  return [...faults, ...unlawfulFences(told), ...restlessFences(told)];
}

function isOperator(world: World, { hosts, forced }: Rivalry, hostId: string): boolean {
  return forced === true && world.hosts[hosts]?.sdcId === hostId;
}

/** More than the move limit allows, by one host. */
function restlessFences({ world, rivalry: { moveLimit = POLICY.takeover.moveLimit } }: Told): string[] {
  return world.hosts.flatMap(({ name, sdcId }) => {
    const moves = world.array.fences.filter(({ by }) => by === sdcId).length;
    return moves > moveLimit ? [`${name} took it ${moves} times`] : [];
  });
}

function unlawfulFences({ world, rivalry, fallen }: Told): string[] {
  const { fences } = world.array;
  return fences.flatMap(({ from, by }) => {
    const name = world.hosts.find(({ sdcId }) => sdcId === from)?.name ?? from;
    const wasSilent = ['dies', 'loses the array', 'freezes'].some((blow) => fallen.has(`${name} ${blow}`));
    if (isOperator(world, rivalry, by)) return [];
    const what = `${by} took it from ${name}`;
    if (rivalry.policy === 'never') return [`${what}, policy never`];
    const mayTakeAlive = rivalry.policy === 'always' || (rivalry.policy === 'idle' && rivalry.busy !== true);
    return wasSilent || mayTakeAlive ? [] : [`${what}, which was alive`];
  });
}

/** Nobody does anything more: answers make sense, data is there, and every state can be left. */
async function end(told: Told, scheduler: Scheduler): Promise<string[]> {
  const { world } = told;
  scheduler.open();
  await turn();
  for (const host of world.hosts) {
    host.gatewayUp = true;
    host.isFrozen = false;
  }
  const faults = [...answersAtFault(told), ...unrecorded(told), ...(await comesBack(told))];
  for (const [record, who] of told.written) {
    if (world.content('db').files.get(record) !== who) faults.push(`lost: ${record}`);
  }
  if (world.content('db').files.get('precious') !== 'data') faults.push('data lost');
  return [...faults, ...(await tidiedUp(world))];
}

function answersAtFault({ world, rivalry, answers, fallen }: Told): string[] {
  const faults: string[] = [];
  const given = [...answers.values()].filter((answer) => answer === 'ok').length;
  const lossy = rivalry.losesReply === undefined ? undefined : world.host(rivalry.losesReply).sdcId;
  // Each fence makes room for one more; without any, one has it.
  if (given === 0 && !rivalry.held && rivalry.blows.length === 0) faults.push('nobody has a free volume');
  if (given > 1 + world.array.fences.length) faults.push(`${given} were told that they have it`);
  for (const [name, answer] of answers) {
    if (typeof answer === 'string') continue;
    const isNamed =
      answer instanceof VolumeInUseError && /held by host host\d \(10\.0\.0\.\d\)/.test(answer.message);
    const isCut =
      answer instanceof GatewayUnavailableError &&
      (fallen.has(`${name} loses the gateway`) || sdcIdOf(world, name) === lossy);
    const isStale =
      rivalry.forced === true &&
      (answer instanceof InvalidRequestError || answer instanceof VolumeInUseError);
    const mayHaveLost = world.array.fences.some(({ from }) => from === sdcIdOf(world, name));
    if (!isNamed && !isCut && !isStale && !mayHaveLost) faults.push(`${name}: ${String(answer)}`);
  }
  return faults;
}

/** Each fence has one record, on the host that did it; what a plugin had not yet told when it died aside. */
function unrecorded({ world, fallen }: Told): string[] {
  return world.hosts.flatMap(({ name, sdcId, disk }) => {
    if (['dies', 'restarts its plugin'].some((blow) => fallen.has(`${name} ${blow}`))) return [];
    const done = world.array.fences.filter(({ by }) => by === sdcId);
    const told = disk.fences.filter(({ outcome }) => outcome !== 'failed');
    const certain = told.filter(({ outcome }) => outcome !== 'unknown');
    const missing = done.filter(({ from }) => told.every((record) => record.from !== from));
    const twice = certain.filter(({ at, from }) => {
      const alike = certain.filter((record) => record.at === at && record.from === from);
      return alike.length > Math.max(1, done.filter((fence) => fence.from === from).length);
    });
    return [
      ...missing.map(({ from }) => `${name} has no record of what it took from ${from}`),
      ...twice.map(({ from }) => `${name} has two records of what it took from ${from}`),
    ];
  });
}

function sdcIdOf(world: World, name: string): string | undefined {
  return world.hosts.find((host) => host.name === name)?.sdcId;
}

/** Some live host asks again, as Swarm does. It gets the volume, or is refused for a reason that the policy gives. */
async function comesBack({ world, rivalry }: Told): Promise<string[]> {
  const host = world.hosts.findLast(({ life }) => !life.steps.isDead);
  if (host === undefined) return [];
  const { life, sdcId } = host;
  const ending = await world.runToEnd(life.mount('db', 'again'));
  if (ending.kind === 'answered')
    return world.volume('db').mappings.has(sdcId) ? [] : ['answered, not mapped'];
  if (ending.kind === 'died') return ['a Mount that never ends'];
  const [holder] = world.volume('db').mappings.keys();
  const isAlive = holder !== undefined && world.array.isConnected(holder);
  const { moveLimit = POLICY.takeover.moveLimit, policy } = rivalry;
  const hasMoved = world.array.fences.filter(({ by }) => by === sdcId).length >= moveLimit;
  const isLawful = policy === 'never' || (isAlive && (policy !== 'always' || hasMoved));
  const faults =
    isLawful && ending.error instanceof VolumeInUseError ? [] : [`stuck: ${String(ending.error)}`];
  return [...faults, ...(await forced(world, host))];
}

/** The documented command ends what does not end by itself. */
async function forced(world: World, host: FakeHost): Promise<string[]> {
  const { life } = host;
  const { signal } = life.call();
  const operator = new VolumeOperator(life.host, life.host.policy);
  const held = await world.run(operator.look('db', signal));
  const holder = operator.chooseHolder(held, undefined);
  await world.run(operator.forceRelease(held, holder, 'operator test', signal));
  const ending = await world.runToEnd(life.mount('db', 'forced'));
  return ending.kind === 'answered' ? [] : ['not even by force'];
}

/** Everybody is back and nobody uses anything: what is left anywhere. */
async function tidiedUp(world: World): Promise<string[]> {
  for (const host of world.hosts) {
    if (host.life.steps.isDead) host.reboot();
    world.array.setConnected(host.sdcId, true);
  }
  await world.reconcileAll(1);
  for (const { kernel, disk, life } of world.hosts) {
    for (const who of kernel.holderNames) kernel.letGo(who);
    for (const holder of disk.entries.get('db')?.holders ?? []) await world.run(life.unmount('db', holder));
  }
  await world.reconcileAll();
  return world.leaks();
}
