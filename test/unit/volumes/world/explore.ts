import { createHash } from 'node:crypto';
import { GatewayUnavailableError } from '../../../../src/errors.ts';
import type { FakeHost } from './fake-host.ts';
import type { Hook } from './steps.ts';
import { turn } from './virtual-clock.ts';
import type { World } from './world.ts';

/** Something that may happen next. */
export interface Choice {
  readonly label: string;
  readonly take: () => void;
}

/** One telling of a story whose order of events is still open. */
export interface Story {
  readonly world: World;
  readonly scheduler: Scheduler;
  /** Things beside the hosts' own steps that may happen now: a crash, a cut. */
  readonly events?: () => readonly Choice[];
  /** What the story itself remembers and judges by, as text. */
  readonly memory?: () => string;
  /** What must hold in every state: the faults found. */
  readonly invariant?: () => string[];
  /** When nothing more can happen: the faults found. */
  readonly ending: () => Promise<string[]>;
}

export interface Explored {
  readonly states: number;
  readonly runs: number;
  readonly endings: number;
  /** Each with the order of events that leads to it. */
  readonly faults: readonly string[];
}

/**
 * Holds hosts back before each step that others can see. What a host does to itself commutes with what others do, so
 * only calls of the array are scheduled.
 */
export class Scheduler {
  #waiting: (Choice & { readonly host: FakeHost; readonly isPossible: () => boolean })[] = [];
  #isOpen = false;
  /** Replies that get lost, one each, by host. */
  readonly #mayLose = new Set<string>();
  readonly #losing = new Set<string>();
  readonly #isScheduled: (method: string) => boolean;

  /** `isScheduled`: which calls of the array wait to be chosen; those that only read what nobody else changes need not. */
  constructor(isScheduled: (method: string) => boolean = () => true) {
    this.#isScheduled = isScheduled;
  }

  /** From now on one reply to this host, whichever, may get lost after the array has acted. */
  mayLoseReply(host: FakeHost): void {
    this.#mayLose.add(host.name);
  }

  /** For Steps.hook of the host's life, which is observed from now on. */
  hookFor(host: FakeHost): Hook {
    const { steps } = host.life;
    steps.isObserved = true;
    return ({ port, method, side }) => {
      const label = `${host.name}.${method}`;
      if (side === 'after' && this.#losing.delete(label)) {
        return new GatewayUnavailableError(`the reply to ${method} was lost`);
      }
      if (this.#isOpen || port !== 'array' || side !== 'before' || !this.#isScheduled(method)) return 'go';
      return new Promise((resolve) => {
        const choice = {
          host,
          isPossible: () => !steps.isDead && !host.isFrozen,
          label,
          take: () => {
            this.#waiting = this.#waiting.filter((other) => other !== choice);
            resolve('go');
          },
        };
        this.#waiting.push(choice);
      });
    };
  }

  /** The next steps of all hosts, in an order that does not depend on how they came here. */
  get choices(): Choice[] {
    const possible = this.#waiting.filter(({ isPossible }) => isPossible());
    const lost = possible.flatMap((choice): Choice[] => {
      const { host, label, take } = choice;
      if (!this.#mayLose.has(host.name)) return [];
      const loseReply = (): void => {
        this.#mayLose.delete(host.name);
        this.#losing.add(label);
        take();
      };
      return [{ label: `${label}, reply lost`, take: loseReply }];
    });
    return [...possible, ...lost].sort((one, other) => one.label.localeCompare(other.label));
  }

  /** Who may still lose a reply, as text. */
  get lossesLeft(): string {
    return [...this.#mayLose].join();
  }

  /** From now on nobody waits. */
  open(): void {
    this.#isOpen = true;
    for (const choice of this.#waiting) choice.take();
  }
}

/** What is broken in one order is so in many: so many faults say enough, and a search of all of them would not end. */
const ENOUGH_FAULTS = 20;

/**
 * Tells the story in every order of its events, by going back to the beginning for each; a state that was seen before is
 * not followed again. Sound as long as a life is determined by what its ports told it. Time passes whenever somebody
 * waits for it, as one choice among the others.
 */
export async function explore(begin: () => Promise<Story>, limits = { runs: 20_000 }): Promise<Explored> {
  const seen = new Set<string>();
  const open: number[][] = [[]];
  const faults: string[] = [];
  let runs = 0;
  let endings = 0;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    runs += 1;
    if (runs > limits.runs) throw new Error(`more than ${limits.runs} runs; ${seen.size} states so far`);
    const told = await tell(await begin(), path, { seen, open });
    if (told.isEnding) endings += 1;
    faults.push(...told.faults.map((fault) => `${told.labels.join(' ')}: ${fault}`));
    if (faults.length >= ENOUGH_FAULTS) break;
  }
  return { states: seen.size, runs, endings, faults };
}

async function tell(
  story: Story,
  path: readonly number[],
  search: { seen: Set<string>; open: number[][] },
): Promise<{ labels: string[]; faults: string[]; isEnding: boolean }> {
  const taken: number[] = [];
  const labels: string[] = [];
  for (;;) {
    await turn();
    const choices = choicesOf(story);
    const faults = story.invariant?.() ?? [];
    if (faults.length > 0) return { labels, faults, isEnding: false };
    if (choices.length === 0) return { labels, faults: await story.ending(), isEnding: true };
    const planned = path[taken.length];
    if (planned === undefined) {
      const state = stateOf(story, choices);
      if (search.seen.has(state)) return { labels, faults: [], isEnding: false };
      search.seen.add(state);
      for (let other = 1; other < choices.length; other += 1) search.open.push([...taken, other]);
    }
    const choice = choices[planned ?? 0];
    if (choice === undefined) throw new Error(`the story is not the same twice: ${labels.join(' ')}`);
    taken.push(planned ?? 0);
    labels.push(choice.label);
    choice.take();
  }
}

function choicesOf({ world, scheduler, events }: Story): Choice[] {
  const wakeMs = world.clock.nextWakeMs;
  const time: Choice[] =
    wakeMs === undefined
      ? []
      : [
          {
            label: 'time',
            take: () => {
              world.clock.advanceTo(wakeMs);
            },
          },
        ];
  return [...scheduler.choices, ...(events?.() ?? []), ...time];
}

function stateOf({ world, memory }: Story, choices: readonly Choice[]): string {
  const text = [
    memory?.() ?? '',
    world.clock.elapsed(),
    world.array.fingerprint,
    ...world.hosts.map(({ fingerprint }) => fingerprint),
    ...choices.map(({ label }) => label),
  ];
  return createHash('sha1').update(text.join('\n')).digest('base64');
}
