import { FilesystemError, GatewayUnavailableError, AttachError } from '../../../../src/errors.ts';
import type { FakeHost } from './fake-host.ts';
import { describePoint, type Hook, type Point } from './steps.ts';
import { World, type Ending } from './world.ts';

/** One call that is disturbed at every point in turn, and what must hold afterwards. */
export interface Scenario {
  readonly name: string;
  readonly hosts?: number;
  /** Brings the world to where the call begins. */
  prepare(world: World): Promise<void>;
  /** The disturbed call, on host 1. */
  act(world: World): Promise<unknown>;
  /** What the engine and its users do next; ends with nobody using any volume. */
  afterwards(world: World, wasAnswered: boolean): Promise<void>;
  /** What is wrong in the end beside leaks. */
  faults(world: World): string[];
}

/** What happens to the plugin at a point. */
export interface Disturbance {
  readonly name: string;
  hook(at: number, world: World): Hook;
  /** After the call has ended or died. */
  recover(host: FakeHost, at: Point): void;
  /** True when the engine does not learn how the call ended. */
  readonly losesAnswer?: true;
}

export const PLUGIN_CRASH: Disturbance = {
  name: 'the plugin is killed',
  hook: (at) => (point) => (point.number === at ? 'die' : 'go'),
  recover: (host) => {
    host.restart();
  },
};

/** What is remembered goes to disk a little later than what is recorded. */
export const FORGETFUL_CRASH: Disturbance = {
  name: 'the plugin is killed before it wrote down what it knows',
  hook: PLUGIN_CRASH.hook.bind(PLUGIN_CRASH),
  recover: (host) => {
    host.disk.known.clear();
    host.restart();
  },
};

export const HOST_REBOOT: Disturbance = {
  name: 'the host loses power',
  hook: PLUGIN_CRASH.hook.bind(PLUGIN_CRASH),
  recover: (host) => {
    host.reboot();
  },
};

function failureOf({ port, method }: Point): Error {
  const message = `${method} fails by the test's will`;
  if (port === 'array') return new GatewayUnavailableError(message);
  return port === 'sdc'
    ? new AttachError(message, { problem: 'command-failed' })
    : new FilesystemError(message);
}

/** A journal that rejects has not written. */
const isOfJournal = ({ port, side }: Point): boolean => port === 'journal' && side === 'after';

/** Before the effect it is a refusal, after it a lost reply. */
export const CALL_FAILS: Disturbance = {
  name: 'one call of a port fails',
  hook: (at) => (point) => (point.number === at && !isOfJournal(point) ? failureOf(point) : 'go'),
  recover: (host, { port }) => {
    // Who frees a full disk starts the plugin again.
    if (port === 'journal') host.restart();
  },
};

export const GATEWAY_LEAVES: Disturbance = {
  name: 'the gateway goes away for a while',
  hook: (at, world) => (point) => {
    if (point.number < at) return 'go';
    world.host(1).gatewayUp = false;
    const isLost = point.number === at && point.port === 'array' && point.side === 'after';
    return isLost ? failureOf(point) : 'go';
  },
  recover: (host) => {
    host.gatewayUp = true;
  },
};

export const DEADLINE_PASSES: Disturbance = {
  name: 'the deadline passes',
  hook: (at, world) => (point) => {
    if (point.number === at) world.host(1).life.latestCall?.expire();
    return 'go';
  },
  recover: () => undefined,
};

export const CLIENT_LEAVES: Disturbance = {
  name: 'the client hangs up',
  hook: (at, world) => (point) => {
    if (point.number === at) world.host(1).life.latestCall?.leave();
    return 'go';
  },
  recover: () => undefined,
  losesAnswer: true,
};

/** Runs the scenario once for every point of its clean run, and tells what went wrong where. */
export async function disturbEverywhere(scenario: Scenario, disturbance: Disturbance): Promise<string[]> {
  const points = await cleanRun(scenario);
  const faults: string[] = [];
  for (const point of points) {
    for (const fault of await disturbedRun(scenario, disturbance, point)) {
      faults.push(`${describePoint(point)}: ${fault}`);
    }
  }
  return faults;
}

async function cleanRun(scenario: Scenario): Promise<Point[]> {
  const world = await begin(scenario);
  const { life } = world.host(1);
  const before = life.steps.points.length;
  await world.run(scenario.act(world));
  await world.pass(0);
  const points = life.steps.points
    .slice(before)
    .map((point) => ({ ...point, number: point.number - before }));
  await scenario.afterwards(world, true);
  const faults = await atRest(scenario, world);
  if (faults.length > 0) throw new Error(`${scenario.name}, undisturbed: ${faults.join('; ')}`);
  return points;
}

async function disturbedRun(scenario: Scenario, disturbance: Disturbance, point: Point): Promise<string[]> {
  const world = await begin(scenario);
  const host = world.host(1);
  const { steps } = host.life;
  const before = steps.points.length;
  steps.hook = disturbance.hook(before + point.number, world);
  const ending: Ending<unknown> = await world.runToEnd(scenario.act(world), host.life);
  await world.pass(0);
  steps.hook = () => 'go';
  disturbance.recover(host, point);
  try {
    await scenario.afterwards(world, ending.kind === 'answered' && disturbance.losesAnswer !== true);
  } catch (cause) {
    return [`afterwards failed: ${String(cause)}`];
  }
  return atRest(scenario, world);
}

async function begin(scenario: Scenario): Promise<World> {
  const world = new World(scenario.hosts ?? 1);
  await scenario.prepare(world);
  return world;
}

async function atRest(scenario: Scenario, world: World): Promise<string[]> {
  await world.reconcileAll();
  return [...world.leaks(), ...scenario.faults(world)];
}
