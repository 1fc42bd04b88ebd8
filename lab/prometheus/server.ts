import { writeFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { stringify } from 'yaml';
import * as z from 'zod';
import { alertsFile } from './shipped.ts';

const vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      value: z.tuple([z.number(), z.string().transform(Number)]),
    }),
  ),
});
const alerts = z.object({
  alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
});
const targets = z.object({
  activeTargets: z.array(z.object({ scrapeUrl: z.string(), health: z.string(), lastError: z.string() })),
});
const answer = z.object({ status: z.string(), error: z.string().optional(), data: z.unknown().optional() });

/** One series of an answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Writes the configuration of a Prometheus that scrapes these addresses every second and has the alert rules of deploy/;
 * hands back how to start it.
 */
export async function prometheusArgv(
  directory: string,
  listen: string,
  scraped: readonly string[],
): Promise<string[]> {
  const file = path.join(directory, 'prometheus.yml');
  await writeFile(
    file,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [alertsFile],
      scrape_configs: [{ job_name: 'scaleio', static_configs: [{ targets: scraped }] }],
    }),
  );
  return [
    ...['prometheus', `--config.file=${file}`, `--storage.tsdb.path=${path.join(directory, 'prometheus')}`],
    ...[`--web.listen-address=${listen}`, '--log.level=warn'],
  ];
}

/** What a Prometheus answers. Every question rejects when it answers with an error. */
export class Prometheus {
  readonly #where: RequestOptions;

  /** `where`: host and port, or a unix socket. */
  constructor(where: Pick<RequestOptions, 'host' | 'port' | 'socketPath'>) {
    this.#where = where;
  }

  /** What a query says now. */
  async query(expr: string): Promise<Sample[]> {
    const { result } = vector.parse(
      await this.#ask(`query?${new URLSearchParams({ query: expr }).toString()}`),
    );
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value }));
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const { alerts: all } = alerts.parse(await this.#ask('alerts'));
    return all.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname'] ?? '');
  }

  /** Each target with "up", or why it is not. */
  async targets(): Promise<Record<string, string>> {
    const { activeTargets } = targets.parse(await this.#ask('targets?state=active'));
    return Object.fromEntries(
      activeTargets.map(({ scrapeUrl, health, lastError }) => [
        new URL(scrapeUrl).host,
        health === 'up' ? health : `${health}: ${lastError}`,
      ]),
    );
  }

  async #ask(question: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const sent = request({ ...this.#where, path: `/api/v1/${question}`, agent: false });
    sent.on('error', reject);
    sent.on('response', (response) => {
      json(response).then(resolve, reject);
    });
    sent.end();
    const { status, error, data } = answer.parse(await promise);
    if (status !== 'success')
      throw new Error(`Prometheus refuses ${decodeURIComponent(question)}: ${error ?? ''}`);
    return data;
  }
}
