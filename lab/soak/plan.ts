import fc from 'fast-check';

/** What may happen in a random run; hosts are numbers from 1. */
export type Act =
  | { readonly kind: 'start' | 'stop'; readonly host: number; readonly volume: string }
  | { readonly kind: HostFault; readonly host: number; readonly volume?: never }
  | { readonly kind: ArrayFault };

type HostFault = (typeof HOST_FAULTS)[number];
type ArrayFault = 'kill-array' | 'start-array' | 'move-mdm';

const HOST_FAULTS = [
  ...(['power-off', 'boot', 'freeze', 'thaw', 'kill-dockerd', 'start-dockerd', 'kill-plugin'] as const),
  ...(['cut-storage', 'restore-storage', 'cut-cluster', 'restore-cluster'] as const),
  ...(['silence-sdc', 'hear-sdc'] as const),
];

/** What a fault turns on or off again. */
type Ailment = 'off' | 'frozen' | 'no engine' | 'no storage' | 'no cluster' | 'silent';

/** How often an act is chosen against others, what it needs, and what it changes on the host. */
interface Rule {
  readonly weight: number;
  readonly needs?: Ailment;
  readonly makes?: Ailment;
}

const rules: Readonly<Record<HostFault, Rule>> = {
  'power-off': { weight: 2, makes: 'off' },
  boot: { weight: 6, needs: 'off' },
  freeze: { weight: 1, makes: 'frozen' },
  thaw: { weight: 5, needs: 'frozen' },
  'kill-dockerd': { weight: 1, makes: 'no engine' },
  'start-dockerd': { weight: 5, needs: 'no engine' },
  'kill-plugin': { weight: 2 },
  'cut-storage': { weight: 1, makes: 'no storage' },
  'restore-storage': { weight: 4, needs: 'no storage' },
  'cut-cluster': { weight: 1, makes: 'no cluster' },
  'restore-cluster': { weight: 4, needs: 'no cluster' },
  'silence-sdc': { weight: 1, makes: 'silent' },
  'hear-sdc': { weight: 4, needs: 'silent' },
};

/** Faults that end with the power, whatever made them. */
const ENDS_WITH_POWER: readonly Ailment[] = ['frozen', 'no engine', 'no storage', 'no cluster'];

interface Model {
  readonly ailments: ReadonlyMap<number, Set<Ailment>>;
  /** `host volume` of every container that was started and not stopped. */
  readonly containers: Set<string>;
  arrayIsOn: boolean;
}

export interface Field {
  readonly hosts: number;
  readonly volumes: readonly string[];
}

/**
 * Everything that is to happen in a run: the same for the same seed, because each choice follows from the seed and the
 * choices before it, never from what came of them.
 */
export function planOf(seed: number, steps: number, field: Field): Act[] {
  const numbers = fc.sample(fc.noBias(fc.nat({ max: 2 ** 31 - 1 })), { seed, numRuns: steps });
  const hosts = Array.from({ length: field.hosts }, (_, index) => index + 1);
  const model: Model = {
    ailments: new Map(hosts.map((host) => [host, new Set()])),
    containers: new Set(),
    arrayIsOn: true,
  };
  return numbers.map((number) => {
    const act = chosen(number, possible(model, field));
    follow(model, act);
    return act;
  });
}

/** What makes everything well again after these acts, in the order in which it is to be done. */
export function healing(acts: readonly Act[], field: Field): Act[] {
  const hosts = Array.from({ length: field.hosts }, (_, index) => index + 1);
  const model: Model = {
    ailments: new Map(hosts.map((host) => [host, new Set()])),
    containers: new Set(),
    arrayIsOn: true,
  };
  for (const act of acts) follow(model, act);
  const array: Act[] = model.arrayIsOn ? [] : [{ kind: 'start-array' }];
  const order: readonly HostFault[] = [
    'boot',
    'thaw',
    'restore-storage',
    'restore-cluster',
    'hear-sdc',
    'start-dockerd',
  ];
  const cures = hosts.flatMap((host) =>
    order.flatMap((kind): Act[] => {
      const ill = rules[kind].needs;
      return ill !== undefined && model.ailments.get(host)?.has(ill) === true ? [{ kind, host }] : [];
    }),
  );
  return [...array, ...cures];
}

interface Weighed {
  readonly act: Act;
  readonly weight: number;
}

function chosen(number: number, choices: readonly Weighed[]): Act {
  const total = choices.reduce((sum, { weight }) => sum + weight, 0);
  let left = number % total;
  for (const { act, weight } of choices) {
    if (left < weight) return act;
    left -= weight;
  }
  throw new Error('nothing is possible'); // kill-array or start-array always is
}

function possible(model: Model, { volumes }: Field): Weighed[] {
  const array: Weighed[] = model.arrayIsOn
    ? [
        { act: { kind: 'kill-array' }, weight: 1 },
        { act: { kind: 'move-mdm' }, weight: 1 },
      ]
    : [{ act: { kind: 'start-array' }, weight: 8 }];
  const hosts = [...model.ailments].flatMap(([host, ailments]) => [
    ...faultsOf(host, ailments, model),
    ...(isUsable(ailments) ? containersOf(host, volumes, model) : []),
  ]);
  return [...array, ...hosts];
}

/** One host at most may be without power or frozen, so that something goes on. */
function faultsOf(host: number, ailments: ReadonlySet<Ailment>, model: Model): Weighed[] {
  const isDown = ailments.has('off') || ailments.has('frozen');
  const others = [...model.ailments].filter(([other]) => other !== host).map(([, ill]) => ill);
  const isLast = others.some((ill) => ill.has('off') || ill.has('frozen'));
  return HOST_FAULTS.flatMap((kind): Weighed[] => {
    const { weight, needs, makes } = rules[kind];
    const isCure = needs !== undefined;
    if (isCure && !ailments.has(needs)) return [];
    if (!isCure && (isDown || (makes !== undefined && ailments.has(makes)))) return [];
    if (isDown && kind !== 'boot' && kind !== 'thaw') return [];
    if (isLast && (makes === 'off' || makes === 'frozen')) return [];
    if (kind === 'kill-plugin' && ailments.has('no engine')) return [];
    if ((kind === 'silence-sdc' || kind === 'hear-sdc') && !model.arrayIsOn) return [];
    return [{ act: { kind, host }, weight }];
  });
}

function isUsable(ailments: ReadonlySet<Ailment>): boolean {
  return !ailments.has('off') && !ailments.has('frozen') && !ailments.has('no engine');
}

function containersOf(host: number, volumes: readonly string[], { containers }: Model): Weighed[] {
  return volumes.map((volume) => {
    const runs = containers.has(`${host} ${volume}`);
    return { act: { kind: runs ? 'stop' : 'start', host, volume }, weight: runs ? 4 : 5 };
  });
}

function follow(model: Model, act: Act): void {
  if (act.kind === 'start' || act.kind === 'stop') {
    const container = `${act.host} ${act.volume}`;
    if (act.kind === 'start') model.containers.add(container);
    else model.containers.delete(container);
    return;
  }
  if (!('host' in act)) {
    followArray(model, act.kind);
    return;
  }
  const ailments = model.ailments.get(act.host);
  if (ailments === undefined) throw new Error(`there is no host ${act.host}`);
  const { needs, makes } = rules[act.kind];
  if (needs !== undefined) ailments.delete(needs);
  if (makes !== undefined) ailments.add(makes);
  if (act.kind === 'power-off') for (const one of ENDS_WITH_POWER) ailments.delete(one);
  if (act.kind === 'power-off' || act.kind === 'start-dockerd') forgetContainers(model, act.host);
}

function followArray(model: Model, kind: ArrayFault): void {
  if (kind === 'move-mdm') return;
  model.arrayIsOn = kind === 'start-array';
  // Whom the array does not hear it forgets with its process.
  if (!model.arrayIsOn) for (const ailments of model.ailments.values()) ailments.delete('silent');
}

function forgetContainers({ containers }: Model, host: number): void {
  for (const container of containers) if (container.startsWith(`${host} `)) containers.delete(container);
}

/** One act as a line of the log. */
export function wordsFor(act: Act): string {
  const where = 'host' in act ? ` host${act.host}` : '';
  return `${act.kind}${where}${'volume' in act ? ` ${act.volume}` : ''}`;
}
