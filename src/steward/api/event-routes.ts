import * as z from 'zod';
import { knownCaller } from './caller.ts';
import type { ApiParts } from './parts.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';

const STREAM = z.string().describe('server-sent events: "audit" and "news", each a JSON object');

/** What happens, as it happens. */
export function addEventRoutes(server: ApiServer, { events }: ApiParts): void {
  server.get(
    `${ROOT}/events`,
    {
      schema: {
        ...about(
          'events',
          'listen',
          'what the steward decides, what is asked of it, and levels of pools, as it happens',
        ),
        response: {
          200: {
            description: 'until five minutes have passed',
            content: { 'text/event-stream': { schema: STREAM } },
          },
          ...REFUSALS,
        },
      },
    },
    (request, reply) => {
      const grant = knownCaller(request);
      events.assertRoom(grant);
      reply.hijack();
      const stream = reply.raw;
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) stream.setHeader(name, value);
      stream.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      const last = request.headers['last-event-id'];
      events.add(grant, stream, typeof last === 'string' ? last : undefined);
    },
  );
}
