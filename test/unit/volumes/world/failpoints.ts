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
  recover(host: FakeHost): void;
}

export const PLUGIN_CRASH: Disturbance = {
  name: 'the plugin is killed',
  hook: (at) => (point) => (point.number === at ? 'die' : 'go'),
  recover: (host) => {
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
  disturbance.recover(host);
  try {
    await scenario.afterwards(world, ending.kind === 'answered');
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
