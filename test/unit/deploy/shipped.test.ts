import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  alertRules,
  alertTestsFile,
  dashboard,
  dashboardQueries,
  metricsIn,
  seriesOn,
} from '../../../lab/prometheus/shipped.ts';
import { fenceLog, pluginMetrics } from '../observe/metrics/watched.ts';
import { stewardMetrics } from '../observe/metrics/watched-steward.ts';

/** What the two programs show, and what Prometheus adds. */
async function shown(): Promise<Set<string>> {
  const plugin = pluginMetrics();
  plugin.metrics.observeFences(fenceLog().fences);
  const pages = [plugin.pages, stewardMetrics().pages];
  const texts = await Promise.all(pages.map(({ registry }) => registry.metrics()));
  return new Set(['up', ...texts.flatMap((text) => [...seriesOn(text)])]);
}

describe('metricsIn', () => {
  it.each([
    ['up == 0 and on (job, instance) last_over_time(x{a="b {c} d"}[6h])', ['up', 'x']],
    ['histogram_quantile(0.9, sum by (le) (rate(t_bucket{i=~"$i"}[$__rate_interval]))) > 5', ['t_bucket']],
    ['sum(a) / sum without (b) (c_total offset 5m) unless on () d', ['a', 'c_total', 'd']],
    ['time() - max by (job)(last) > 300 + 5 * every_seconds', ['last', 'every_seconds']],
  ])('finds them in %s', (expr, names) => {
    expect(metricsIn(expr)).toEqual(names.map((name) => expect.stringContaining(name) as string));
  });
});

describe('the alert rules', () => {
  it.each(alertRules().map((rule) => [rule.alert, rule] as const))(
    '%s says what happened and what to do, and asks for what is there',
    async (_, { expr, labels, annotations }) => {
      expect(['critical', 'warning', 'info']).toContain(labels['severity']);
      expect(Object.keys(annotations).toSorted()).toEqual(['description', 'summary', 'todo']);
      const names = metricsIn(expr);
      expect(names.length).toBeGreaterThan(0);
      expect([...(await shown())]).toEqual(expect.arrayContaining(names));
    },
  );

  it('are each tested, to fire and to stay quiet', () => {
    const tests = readFileSync(alertTestsFile, 'utf8');
    for (const { alert } of alertRules()) {
      expect(tests).toContain(`name: ${alert} fires`);
      expect(tests).toContain(`name: ${alert} stays quiet`);
    }
  });
});

describe('the dashboard', () => {
  it('asks for what is there', async () => {
    const asked = dashboardQueries().flatMap(({ expr }) => metricsIn(expr));
    expect(asked.length).toBeGreaterThan(50);
    expect([...(await shown())]).toEqual(expect.arrayContaining(asked));
  });

  it('takes its data from the source that is chosen, for Grafana 10', () => {
    const { schemaVersion, panels, templating } = dashboard();
    expect(schemaVersion).toBeGreaterThanOrEqual(38);
    expect(templating.list.find(({ name }) => name === 'datasource')?.type).toBe('datasource');
    const sources = panels.flatMap(({ targets }) => targets.map(({ datasource }) => datasource.uid));
    expect(new Set(sources)).toEqual(new Set(['${datasource}']));
  });

  it('has panels that do not lie on each other', () => {
    const { panels } = dashboard();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });
});
