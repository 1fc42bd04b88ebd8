import * as z from 'zod';
import { CapacityError, GatewayAuthError } from '../../errors.ts';
import { shown } from '../../units/quote.ts';
import { findErrorRow, refusalOfRow, type ErrorRow } from './error-lookup.ts';
import { ArrayRefusal, EndpointFailure, SessionRefused, WEB_PAGE } from './failures.ts';
import { bodyText, PROBABLY_HTTPS, type HttpReply } from './http.ts';

/** What is known of one refusal, whatever its shape was on the wire. */
interface RefusedReply {
  readonly status: number;
  /** 0 when the gateway itself refused. */
  readonly code: number;
  readonly text: string;
  readonly name: string | undefined;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const code = z.coerce
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

const refusalSchema = z.object({
  message: text,
  httpStatusCode: code,
  errorCode: code,
  details: z.array(z.object({ error: text, rc: code, errorMessage: text })).nullish(),
});

const LONGEST_TEXT = 110;

/** One line of foreign text, short enough to stand in a sentence, with what is not seen in it escaped. */
export function oneLine(text: string): string {
  const line = shown(text.replace(/\s+/g, ' ').trim());
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT - 1)}…`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an ingress or proxy answered instead of the gateway; the caller says so
  }
}

/** Undefined when the body is not the gateway's own error object (HTML, empty, a proxy's text). */
function readRefusal(status: number, text: string): RefusedReply | undefined {
  const parsed = refusalSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { message, errorCode, httpStatusCode, details } = parsed.data;
  // Ingresses answer with JSON messages of their own ("no route matched"); the gateway always gives its numbers.
  if (errorCode === undefined && httpStatusCode === undefined) return undefined;
  const plain = { status, code: errorCode ?? 0, text: message, name: undefined };
  // Composite errors of bulk commands keep the real one inside ([goscaleio] types.Error, [cinder]).
  const inner = details?.[0];
  if (inner === undefined) return plain;
  const { error: name, rc, errorMessage } = inner;
  return { status, code: rc ?? plain.code, text: errorMessage || name || message, name };
}

/**
 * True when the array says in its own words that what the path named does not exist, in any of its ways ([csi-powerflex]).
 * After a change that is a hint only: an action that a gateway does not know sounds the same.
 */
export function isMissing(error: unknown): error is ArrayRefusal {
  if (!(error instanceof ArrayRefusal)) return false;
  const { refusal, arrayCode, httpStatus } = error;
  return refusal === 'volume-unknown' || (refusal === 'other' && arrayCode === 0 && httpStatus === 404);
}

function sentence(what: string, refusal: RefusedReply, row: ErrorRow | undefined): string {
  const said = oneLine(refusal.text) || row?.text || `HTTP status ${refusal.status}`;
  return `cannot ${what}: the array says "${said}"`;
}

function worded(what: string, refusal: RefusedReply, row: ErrorRow | undefined): Error {
  const message = sentence(what, refusal, row);
  const { code, status: httpStatus } = refusal;
  const details = { context: { arrayCode: code, httpStatus }, remedy: row?.advice ?? '' };
  switch (row?.meaning) {
    case 'capacity':
      return new CapacityError(message, details);
    case 'auth':
      return new GatewayAuthError(message, details);
    case 'session':
      return new SessionRefused(httpStatus, oneLine(refusal.text));
    default: {
      const retryable = row?.meaning === 'busy';
      return new ArrayRefusal(message, {
        ...details,
        refusal: refusalOfRow(row),
        arrayCode: row?.code ?? code,
        httpStatus,
        retryable,
      });
    }
  }
}

/** The body was not the gateway's: something in front of it answered. */
function strange(reply: HttpReply): Error {
  const { status, location } = reply;
  // 428: [SIORestToolkit] gateway error table.
  if (status === 428) {
    const reason = "gateway has no MDM configured, or does not trust the MDM's certificate yet (HTTP 428)";
    return new EndpointFailure(reason, { mayHaveActed: false });
  }
  if (status === 429)
    return new EndpointFailure('gateway is busy (HTTP 429)', { mayHaveActed: false, kind: 'busy' });
  if (status === 401 || status === 403) return new SessionRefused(status, `HTTP status ${status}`);
  if (status >= 300 && status < 400) {
    const reason = `redirects to another address${location === undefined ? '' : ` (${oneLine(location.split('?')[0] ?? '')})`}; set SCALEIO_ENDPOINT to the gateway's own address`;
    return new EndpointFailure(reason, { mayHaveActed: false });
  }
  if (status === 404)
    return new EndpointFailure('is not a gateway (HTTP 404)', { mayHaveActed: false, kind: 'not-found' });
  if (status >= 200 && status < 300) return new EndpointFailure(WEB_PAGE, { mayHaveActed: true });
  return unexplained(reply);
}

function unexplained({ status, isEncrypted }: HttpReply): EndpointFailure {
  // What servers say to plain HTTP on a port for TLS; a gateway that finds a request bad says so in JSON.
  const why =
    status === 400 && !isEncrypted
      ? `from something that is not a gateway; ${PROBABLY_HTTPS}`
      : 'without a reason';
  const reason = `HTTP status ${status} ${why}`;
  return new EndpointFailure(reason, { mayHaveActed: status >= 500 });
}

/**
 * The error for a reply that is not a success. EndpointFailure: this gateway is of no use now. SessionRefused: log in
 * again. Else a PluginError that says `cannot ${what}`.
 */
export async function refusalOf(reply: HttpReply, what: string): Promise<Error> {
  const text = await bodyText(reply);
  const refusal = readRefusal(reply.status, text);
  if (refusal === undefined) return strange(reply);
  if (reply.status === 401) return new SessionRefused(401, oneLine(refusal.text));
  const row = findErrorRow(refusal);
  if (row?.meaning === 'doubtful') {
    const reason = `gateway cannot work with its MDM: ${oneLine(refusal.text)}`;
    return new EndpointFailure(reason, { mayHaveActed: true, kind: 'busy' });
  }
  if (row === undefined) {
    if (reply.status === 403) return new SessionRefused(reply.status, oneLine(refusal.text));
    if (reply.status === 428) return strange(reply);
    if (reply.status > 500) {
      return new EndpointFailure(`HTTP status ${reply.status}: ${oneLine(refusal.text)}`, {
        mayHaveActed: true,
      });
    }
  }
  return worded(what, refusal, row);
}

/**
 * What `read` makes of a success. A page in place of JSON, or JSON that is cut or wrong, is a failure of this gateway, not an answer:
 * EndpointFailure.
 */
export async function readSuccess<T>(reply: HttpReply, read: (reply: HttpReply) => Promise<T>): Promise<T> {
  if (/html/i.test(reply.contentType)) {
    throw new EndpointFailure(WEB_PAGE, { mayHaveActed: true });
  }
  try {
    return await read(reply);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EndpointFailure('answer is no JSON', { mayHaveActed: true });
  }
}
