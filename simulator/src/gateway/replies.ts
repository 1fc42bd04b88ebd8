import type { FastifyReply } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { ArrayError } from '../mdm/failures.ts';

const JSON_TYPE = 'application/json;charset=UTF-8';
/** Lists longer than this are streamed. */
const LONG_LIST = 2000;

/** Sends JSON text as it is. */
export function sendText(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).serializer(asIs).send(text);
}

function asIs(payload: unknown): string {
  return payload as string;
}

/** Sends a value as JSON; a string becomes a quoted string, as login, version and queryIdByKey answer. */
export function sendJson(reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  return sendText(reply, JSON.stringify(value), status);
}

/** Sends a list of objects that are JSON text already. */
export function sendList(
  reply: FastifyReply,
  ids: readonly string[],
  textOf: (id: string) => string,
): FastifyReply {
  if (ids.length <= LONG_LIST) return sendText(reply, `[${ids.map(textOf).join(',')}]`);
  return reply.header('content-type', JSON_TYPE).send(Readable.from(listChunks(ids, textOf)));
}

function* listChunks(ids: readonly string[], textOf: (id: string) => string): Generator<string> {
  for (let start = 0; start < ids.length; start += LONG_LIST) {
    const part = ids
      .slice(start, start + LONG_LIST)
      .map(textOf)
      .join(',');
    yield (start === 0 ? '[' : ',') + part + (start + LONG_LIST >= ids.length ? ']' : '');
  }
}

/** The body of a refusal [pysio, csi fixtures]. */
export function failureBody(message: string, httpStatusCode: number, errorCode: number): object {
  return { message, httpStatusCode, errorCode };
}

/** Sends what an ArrayError says; anything else is a fault of the simulator's own and says so. */
export function sendFailure(reply: FastifyReply, error: unknown, html: boolean): FastifyReply {
  if (!(error instanceof ArrayError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return sendJson(reply, failureBody(`Simulator failure: ${text}`, 500, 0), 500);
  }
  if (html && error.code === 0 && error.details === undefined) return sendHtml(reply, error.status);
  const body = failureBody(error.message, error.status, error.code);
  return sendJson(
    reply,
    error.details === undefined ? body : { ...body, details: error.details },
    error.status,
  );
}

/** An error page of the ingress that stands before the gateway from 4.0. */
export function sendHtml(reply: FastifyReply, status: number, page?: string): FastifyReply {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const text = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return reply
    .code(status)
    .header('content-type', 'text/html')
    .send(page ?? text);
}
