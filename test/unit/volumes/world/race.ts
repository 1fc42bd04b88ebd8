import { Scheduler, type Choice, type Story } from './explore.ts';
import type { Life } from './life.ts';
import { World } from './world.ts';

type RacedCall = (life: Life, world: World) => Promise<unknown>;
export type Answer = { readonly ok: true } | { readonly ok: false; readonly error: unknown };

/** Host 1 and host 2 each begin their call at the same instant. */
export async function race(
  prepare: (world: World) => Promise<void>,
  calls: readonly [RacedCall, RacedCall],
  judge: (answers: readonly (Answer | undefined)[], world: World) => string[],
  how: {
    readonly mayDie?: boolean;
    /** Host 1's SDC may lose the array and find it again, while its plugin goes on. */
    readonly mayLoseArray?: boolean;
    /** What of the world beside names and mappings makes one state another. */
    readonly memory?: (world: World) => string;
    readonly atRest?: (world: World) => string[];
    readonly isScheduled?: (method: string) => boolean;
  } = {},
): Promise<Story> {
  const world = new World(2);
  for (const { kernel } of world.hosts) kernel.deviceDelayMs = 0;
  await prepare(world);
  const scheduler = new Scheduler(how.isScheduled);
  const answers: (Answer | undefined)[] = [undefined, undefined];
  world.hosts.forEach((host, index) => {
    host.life.steps.hook = scheduler.hookFor(host);
    calls[index]?.(host.life, world).then(
      () => (answers[index] = { ok: true }),
      (error: unknown) => (answers[index] = { ok: false, error }),
    );
  });
  const [first] = world.hosts;
  const die: Choice = { label: 'host1 dies', take: () => first?.life.kill() };
  let isSilenced = false;
  const silence: Choice = {
    label: 'host1 loses the array',
    take: () => {
      isSilenced = true;
      if (first !== undefined) world.array.setConnected(first.sdcId, false);
    },
  };
  const events = (): Choice[] => {
    const isOver = answers[0] !== undefined || first?.life.steps.isDead === true;
    if (isOver) return [];
    const mayBeSilent = how.mayLoseArray === true && !isSilenced;
    return [...(how.mayDie === true ? [die] : []), ...(mayBeSilent ? [silence] : [])];
  };
  const ending = async (): Promise<string[]> => {
    scheduler.open();
    if (first !== undefined && isSilenced) world.array.setConnected(first.sdcId, true);
    if (first?.life.steps.isDead === true) first.restart();
    const faults = judge(answers, world);
    await world.reconcileAll();
    return [...faults, ...(how.atRest?.(world) ?? []), ...world.leaks().filter((leak) => !isOfUse(leak))];
  };
  const invariant = (): string[] =>
    answers.every((answer) => answer !== undefined) ? [] : world.array.violations;
  const memory = (): string => `${how.memory?.(world) ?? ''} ${String(isSilenced)}`;
  return { world, scheduler, events, invariant, ending, memory };
}

/** What a volume that is in use leaves by right. */
function isOfUse(leak: string): boolean {
  return /^mapping of (docker-|~view)|mount at|device of|mounted \[m/.test(leak);
}

export const nothing = (): Promise<void> => Promise.resolve();
export const made = async (world: World): Promise<void> => {
  await world.run(world.host(1).life.create('db'));
  await world.run(world.host(2).life.get('db'));
};
/** Both hosts were asked for the volume, as engines do before they create, and there is none. */
export const absent = async (world: World): Promise<void> => {
  for (const { life } of world.hosts)
    await world.run(
      life.get('db').then(
        () => undefined,
        () => undefined,
      ),
    );
};
