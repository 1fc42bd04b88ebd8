import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const deploy = path.resolve(import.meta.dirname, '../../deploy');

export const alertsFile = path.join(deploy, 'prometheus-alerts.yml');
export const alertTestsFile = path.join(deploy, 'prometheus-alerts.test.yml');
const dashboardFile = path.join(deploy, 'grafana-dashboard.json');

const target = z.object({ expr: z.string(), datasource: z.object({ uid: z.string() }) });
const panel = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  gridPos: z.object({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
  targets: z.array(target).default([]),
});
const variable = z.object({ name: z.string(), type: z.string(), definition: z.string().default('') });
const annotation = z.object({ name: z.string(), expr: z.string().optional() });
const dashboardSchema = z.object({
  schemaVersion: z.int(),
  panels: z.array(panel),
  templating: z.object({ list: z.array(variable) }),
  annotations: z.object({ list: z.array(annotation) }),
});
const rule = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});
const rulesSchema = z.object({ groups: z.array(z.object({ name: z.string(), rules: z.array(rule) })) });

/** The dashboard in deploy/. */
export function dashboard(): z.output<typeof dashboardSchema> {
  return dashboardSchema.parse(JSON.parse(readFileSync(dashboardFile, 'utf8')));
}

/** The alert rules in deploy/. */
export function alertRules(): z.output<typeof rule>[] {
  return rulesSchema.parse(parse(readFileSync(alertsFile, 'utf8'))).groups.flatMap(({ rules }) => rules);
}

export interface Query {
  readonly title: string;
  /** As Prometheus gets it. */
  readonly expr: string;
}

/** Every query of the dashboard, with all hosts and pools chosen. */
export function dashboardQueries(): Query[] {
  const { panels, annotations, templating } = dashboard();
  const written = [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    ...annotations.list.flatMap(({ name, expr }) => (expr === undefined ? [] : [{ title: name, expr }])),
    ...templating.list.flatMap(({ name, definition }) => {
      const [, expr] = /^label_values\((.*), \w+\)$/.exec(definition) ?? [];
      return expr === undefined ? [] : [{ title: `variable ${name}`, expr }];
    }),
  ];
  return written.map(({ title, expr }) => ({ title, expr: filledIn(expr) }));
}

function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(instance|pool)\b/g, '.*');
}

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'ignoring']);

/** Metrics that an expression of PromQL asks for; of a histogram the series, such as "…_bucket". */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/\b[a-z_:][\w:]*\b(?!\s*\()/gi)].map(([name]) => name);
  return [...new Set(names.filter((name) => !WORDS.has(name)))];
}

/** Names of all series in a page of /metrics, also of those that have no value yet. */
export function seriesOn(metricsPage: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of metricsPage.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== 'histogram') names.add(name);
    else for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  return names;
}
