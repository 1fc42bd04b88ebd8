import type { ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

import { describeConformance } from './conformance.ts';
import { buildServer } from './started-server.ts';
import type { ConformanceTarget, RawCall } from './target.ts';
import { describeUse } from './use-conformance.ts';

const HANG_UP = 'x-test-hangs-up';

/** Hands over the responses of calls that are to be hung up on, as inject has no connection to cut. */
function catchResponses(app: FastifyInstance, caught: (response: ServerResponse) => void): void {
  app.addHook('onRequest', (request, reply, next) => {
    if (request.headers[HANG_UP] !== undefined) caught(reply.raw);
    next();
  });
}

const methodOf = ({ method = 'POST' }: RawCall) => method as 'POST';

async function inProcess(): Promise<ConformanceTarget> {
  const { app, driver } = buildServer();
  let waiting: ((response: ServerResponse) => void)[] = [];
  catchResponses(app, (response) => waiting.shift()?.(response));
  await app.ready();
  const inject = (call: RawCall) =>
    app.inject({
      method: methodOf(call),
      url: call.path,
      headers: { 'content-length': String(Buffer.byteLength(call.body ?? '')), ...call.headers },
      ...(call.body === undefined ? {} : { payload: call.body }),
    });
  return {
    request: (call) =>
      inject(call).then(
        ({ statusCode, headers, body }) => ({ kind: 'answer', status: statusCode, headers, text: body }),
        () => ({ kind: 'dropped' }),
      ),
    hangUp: async (call, moment) => {
      const caught = new Promise<ServerResponse>((resolve) => waiting.push(resolve));
      const answer = inject({ ...call, headers: { ...call.headers, [HANG_UP]: 'yes' } });
      const response = await caught;
      await moment;
      response.destroy();
      await answer.catch(() => undefined);
    },
    holdMounts: () => driver.hold('mount'),
    reset: async () => {
      waiting = [];
      driver.reset();
      return Promise.resolve();
    },
    close: () => app.close(),
  };
}

describeConformance('in process', inProcess);
describeUse('in process', inProcess);
