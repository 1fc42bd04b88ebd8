import { cpus } from 'node:os';
import { quantile } from '../bench/samples.ts';
import type { FileSystem } from '../postgres/database.ts';
import type { PowerCut } from '../postgres/power-cut.ts';
import type { Failover } from '../timeline/failover.ts';

/** How quickly Swarm reacts, as Docker writes durations. */
export interface Pace {
  readonly heartbeat: string;
  readonly restartDelay: string;
}

/** Power cuts of one database, in order. */
export interface Run {
  readonly pace: Pace;
  readonly fileSystem: FileSystem;
  readonly cuts: PowerCut[];
}

/** The parts that a failover is split into, in ms. */
const PARTS: readonly (readonly [name: string, of: (failover: Failover) => number])[] = [
  ['kill → first commit', (one) => one.continuedAt - one.killedAt],
  ['kill → Mount arrives', (one) => one.mountArrivedAt - one.killedAt],
  ['Mount', (one) => one.mountAnsweredAt - one.mountArrivedAt],
  ['Mount answered → first commit', (one) => one.continuedAt - one.mountAnsweredAt],
];

/** The figures of docs/failover.md. */
export function section(runs: readonly Run[]): string {
  const done = runs.filter(({ cuts }) => cuts.length > 0);
  const cuts = done.flatMap((run) => run.cuts);
  const faults = cuts.reduce((sum, cut) => sum + cut.faults.length, 0);
  const committed = done.reduce((sum, run) => sum + (run.cuts.at(-1)?.committed ?? 0), 0);
  const date = new Date().toISOString().slice(0, 10);
  const processors = cpus().length;
  const rows = done.map((run) => {
    const times = run.cuts.map(({ failover }) => failover);
    const lost = run.cuts.reduce((sum, cut) => sum + cut.faults.length, 0);
    return [
      run.fileSystem,
      run.pace.heartbeat,
      run.pace.restartDelay,
      `${run.cuts.length}`,
      `${lost}`,
      ...PARTS.map(([, of]) => quantiles(times.map(of))),
    ];
  });
  const columns = [
    'file system',
    'heartbeat',
    'restart delay',
    'kills',
    'faults',
    ...PARTS.map(([name]) => name),
  ];
  return `Run on ${date} on one machine with ${processors} processors for all hosts, the array and the clients:
**${cuts.length} kills, ${committed} acknowledged transactions, ${faults} faults**. A fault is an acknowledged transaction that is not
there, one that was never sent and is, half a transfer, or a word of \`pg_amcheck\`. Times in seconds: p50 / p95 / most.

${table(columns, rows)}

![One failover, step by step](failover.svg)`;
}

/** The failover whose whole time is the median of the first pace that was run; undefined: none was. */
export function typicalFailover(runs: readonly Run[]): { failover: Failover; heading: string } | undefined {
  const [first] = runs;
  const failovers = runs
    .filter(({ pace }) => pace === first?.pace)
    .flatMap(({ cuts }) => cuts.map(({ failover }) => failover))
    .sort((a, b) => a.continuedAt - a.killedAt - (b.continuedAt - b.killedAt));
  const failover = failovers[Math.floor((failovers.length - 1) / 2)];
  if (first === undefined || failover === undefined) return undefined;
  const { heartbeat, restartDelay } = first.pace;
  const heading = `the median of ${failovers.length} failovers; heartbeat ${heartbeat}, restart delay ${restartDelay}`;
  return { failover, heading };
}

function quantiles(values: readonly number[]): string {
  return [0.5, 0.95, 1].map((share) => (quantile(values, share) / 1000).toFixed(1)).join(' / ');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
