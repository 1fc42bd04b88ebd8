import { type Failover, type Moment, moments } from './failover.ts';

const WIDTH = 900;
const LEFT = 330;
const RIGHT = 90;
const TOP = 84;
const ROW = 26;

const LEGEND = [
  ['swarm', 'Swarm notices, decides, starts'],
  ['plugin', 'plugin and array'],
  ['engine', 'Docker engine'],
  ['service', 'the service recovers'],
] as const;

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #d0d7de; }
.swarm { fill: #8c959f; }
.plugin { fill: #0969da; }
.engine { fill: #1a7f37; }
.service { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .swarm { fill: #6e7681; }
  .plugin { fill: #58a6ff; }
  .engine { fill: #3fb950; }
  .service { fill: #f0883e; }
}`;

/** One failover as a picture: a row for each thing that happened, with a bar for the time since the one before. */
export function picture(failover: Failover, heading: string): string {
  const all = moments(failover);
  const totalMs = failover.continuedAt - failover.killedAt;
  const x = (at: number): number => {
    const share = (at - failover.killedAt) / totalMs;
    return Math.round((LEFT + share * (WIDTH - LEFT - RIGHT)) * 10) / 10;
  };
  const height = TOP + all.length * ROW + 34;
  const parts = [
    text(10, 24, `${failover.from} dies, and its service goes on at ${failover.to}`, 'class="title"'),
    text(10, 43, heading, 'class="small"'),
    ...key(),
    ...grid(failover, x, height),
    ...all.map((moment, row) => bar(moment, { failover, before: all[row - 1] ?? moment, row, x })),
  ];
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<style>${STYLE}\n</style>\n${parts.join('\n')}\n</svg>\n`;
}

function key(): string[] {
  return LEGEND.map(([owner, words], place) => {
    const left = 10 + place * 200;
    return `<rect x="${left}" y="53" width="10" height="10" rx="2" class="${owner}"/>\n${text(left + 16, 62, words, 'class="small"')}`;
  });
}

function grid(failover: Failover, x: (at: number) => number, height: number): string[] {
  const totalSeconds = (failover.continuedAt - failover.killedAt) / 1000;
  const step = totalSeconds > 12 ? 5 : 1;
  const marks = Array.from({ length: Math.floor(totalSeconds / step) + 1 }, (_, mark) => mark * step);
  return marks.map((seconds) => {
    const at = x(failover.killedAt + seconds * 1000);
    const line = `<line x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${height - 26}" class="grid"/>`;
    return `${line}\n${text(at, height - 10, `${seconds} s`, 'class="small" text-anchor="middle"')}`;
  });
}

function bar(
  { at, what, spentBy }: Moment,
  place: { failover: Failover; before: Moment; row: number; x: (at: number) => number },
): string {
  const top = TOP + place.row * ROW;
  const [from, to] = [place.x(place.before.at), place.x(at)];
  const width = Math.max(3, Math.round((to - from) * 10) / 10);
  const seconds = ((at - place.failover.killedAt) / 1000).toFixed(2);
  return [
    text(LEFT - 12, top + 13, what, 'text-anchor="end"'),
    `<rect x="${to - width}" y="${top + 3}" width="${width}" height="13" rx="2" class="${spentBy}"/>`,
    text(to + 6, top + 14, `${seconds} s`, 'class="small"'),
  ].join('\n');
}

function text(left: number, y: number, words: string, attributes = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${left}" y="${y}" ${attributes}>${escaped}</text>`;
}
