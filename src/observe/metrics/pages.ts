import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

/** What is shown to who watches a program of ours. */
export interface Pages {
  readonly registry: Registry;
  readonly readiness: Readiness;
}

/**
 * Adds GET /metrics (Prometheus text), /healthz (200 as long as the process serves) and /readyz (200 or 503, with each
 * check and its reason as JSON) to a server that does not listen yet. `pages` is asked at each request.
 */
export function addPages(server: FastifyInstance, pages: Pages): void {
  server.get('/metrics', async (_request, reply) => {
    const { registry } = pages;
    const text = await registry.metrics();
    return reply.type(registry.contentType).send(text);
  });
  server.get('/healthz', (_request, reply) => reply.send({ status: 'ok' }));
  server.get('/readyz', (_request, reply) => {
    const report = pages.readiness.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
}
