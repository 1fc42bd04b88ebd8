import { readFileSync } from 'node:fs';
import type { Metric, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { fenceLog, pluginMetrics } from './watched.ts';
import { stewardMetrics } from './watched-steward.ts';

const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8').replaceAll(
  / +/g,
  ' ',
);
type Described = Metric & { name: string; help: string; labelNames: string[] };

function ownOf({ registry }: { readonly registry: Registry }): Described[] {
  const all = registry.getMetricsAsArray() as unknown as Described[];
  return all.filter(({ name }) => name.startsWith('scaleio_'));
}

const plugin = pluginMetrics();
plugin.metrics.observeFences(fenceLog().fences);
const own = new Map([...ownOf(plugin.pages), ...ownOf(stewardMetrics().pages)].map((one) => [one.name, one]));

it.each([...own])('docs/metrics.md describes %s', (name, metric) => {
  const labels = metric.labelNames.filter((label) => label !== 'le').map((label) => `\`${label}\``);
  const type = metric.constructor.name.toLowerCase();
  expect(page).toContain(
    `| \`${name}\` | ${type} | ${labels.join(', ')}${labels.length > 0 ? ' ' : ''}| ${metric.help} |`,
  );
});

it('docs/metrics.md describes no metric that is not there, and none twice', () => {
  const described = [...page.matchAll(/^\| `(scaleio_\w+)` \|/gm)].map((match) => match[1]);
  expect(described.toSorted()).toEqual([...own.keys()].toSorted());
});

it.each([...own.values()])('$name bears a name as Prometheus has them', ({ name, constructor }) => {
  expect(name.endsWith('_total')).toBe(constructor.name === 'Counter');
  expect(name).not.toMatch(/_(ms|kib|gib|percent|milliseconds|minutes)(_|$)/i);
});
