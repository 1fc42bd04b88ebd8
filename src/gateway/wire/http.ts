import { addAbortListener } from 'node:events';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { AnswerLimit, type Patience } from './answer-limit.ts';
import { ConnectTimeoutError, openConnections, type Connections, type ConnectOptions } from './connect.ts';
import { EndpointFailure } from './failures.ts';

interface HttpRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | undefined;
  /** False when it came over plain HTTP. */
  readonly isEncrypted: boolean;
  /** To be read to its end or the connection is lost. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Http {
  /** Rejects with EndpointFailure, or with the signal's reason. Any HTTP status resolves. Follows no redirect. */
  send(request: HttpRequest): Promise<HttpReply>;
  /** Cuts what is under way. */
  close(): void;
}

const CLOSING = 'the plugin is closing';
const OLD_TLS = 'speaks only TLS 1.1 or older, which is refused; turn on TLS 1.2 at the gateway';

/** Of a port that was spoken to in plain HTTP. */
export const PROBABLY_HTTPS = 'probably HTTPS: write https:// in SCALEIO_ENDPOINT';

/** Node's and OpenSSL's codes in the operator's words. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection cut',
  EPIPE: 'connection cut',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'name service does not answer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer in time',
  EPROTO: 'does not speak TLS (is it an http:// port?)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS (is it an http:// port?)',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS (is it an http:// port?)',
};

const TRUST_ADVICE = 'set SCALEIO_CA_FILE to its authority, or SCALEIO_INSECURE=true';
const UNTRUSTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `certificate is self-signed; ${TRUST_ADVICE}`,
  SELF_SIGNED_CERT_IN_CHAIN: `certificate's authority is not trusted; ${TRUST_ADVICE}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `certificate's authority is not known; ${TRUST_ADVICE}`,
  UNABLE_TO_GET_ISSUER_CERT: `certificate's authority is not known; ${TRUST_ADVICE}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `certificate's authority is not known; ${TRUST_ADVICE}`,
  CERT_SIGNATURE_FAILURE: `certificate is not signed by the given authority; ${TRUST_ADVICE}`,
  CERT_HAS_EXPIRED: 'certificate has expired; renew it, or set SCALEIO_INSECURE=true',
  CERT_NOT_YET_VALID: 'certificate is not valid yet; check both clocks, or set SCALEIO_INSECURE=true',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'certificate is for another host name; use that name in SCALEIO_ENDPOINT, or set SCALEIO_INSECURE=true',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** `origin`: of a request of which no answer has begun. */
function reasonOf(error: unknown, origin?: string): string {
  const code = codeOf(error);
  const known = UNTRUSTED[code] ?? REASONS[code];
  if (known !== undefined) return known;
  if (code.startsWith('ERR_SSL_')) return `TLS does not work: ${code}`;
  if (error instanceof ConnectTimeoutError) return 'no connection in time';
  // What llhttp, Node's parser, calls its errors.
  if (code.startsWith('HPE_'))
    return origin?.startsWith('http:') === true
      ? `this port does not speak HTTP, ${PROBABLY_HTTPS}`
      : 'does not speak HTTP';
  return code === '' ? 'request failed' : `request failed: ${code}`;
}

/** HTTP to the gateways: kept-alive connections, time limits, TLS verified unless the user said otherwise (rule 11). */
export function createHttp(options: ConnectOptions): Http {
  // An error of the connecting phase proves that nothing was sent.
  const whileConnecting = new WeakSet<Error>();
  const closing = new AbortController();
  const connections = { 'http:': open('http:'), 'https:': open('https:') };

  function open(protocol: 'http:' | 'https:'): Connections {
    const failed = (error: Error): void => void whileConnecting.add(error);
    return openConnections(protocol, options, { failed, closing: closing.signal });
  }

  const failure = (error: unknown, signal: AbortSignal, limit: AnswerLimit, origin?: string): unknown => {
    if (signal.aborted) return signal.reason;
    if (limit.signal.aborted) return limit.signal.reason;
    const mayHaveActed = !(error instanceof Error && whileConnecting.has(error));
    const reason = closing.signal.aborted ? CLOSING : reasonOf(error, origin);
    return new EndpointFailure(reason, { mayHaveActed, cause: error });
  };

  async function* guarded(
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    limit: AnswerLimit,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of body) {
        limit.received(chunk.length);
        yield chunk;
      }
    } catch (error) {
      throw failure(error, signal, limit);
    } finally {
      limit.end();
    }
  }

  return {
    async send(request) {
      if (closing.signal.aborted) throw new EndpointFailure(CLOSING, { mayHaveActed: false });
      const { patience, signal, origin } = request;
      const limit = new AnswerLimit(patience);
      try {
        const either = AbortSignal.any([signal, limit.signal]);
        const reply = await answerTo(request, connections, { limit, signal: either });
        limit.begin();
        return {
          status: reply.statusCode ?? 0,
          contentType: reply.headers['content-type'] ?? '',
          location: reply.headers.location,
          isEncrypted: origin.startsWith('https:'),
          body: guarded(reply, signal, limit),
        };
      } catch (error) {
        limit.end();
        throw failure(error, signal, limit, origin);
      }
    },
    close: () => {
      closing.abort();
      for (const agent of Object.values(connections)) agent.destroy();
    },
  };
}

/** Resolves with the answer's head; its body follows. */
function answerTo(
  { origin, path, method, headers, body }: HttpRequest,
  connections: Readonly<Record<'http:' | 'https:', Connections>>,
  { limit, signal }: { readonly limit: AnswerLimit; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isHttps = origin.startsWith('https:');
    const options: RequestOptions = {
      ...urlToHttpOptions(new URL(origin)),
      path,
      method,
      headers,
      agent: connections[isHttps ? 'https:' : 'http:'],
      signal,
    };
    const asked = isHttps ? requestHttps(options) : requestHttp(options);
    // Connected by then, for which there is a limit of its own.
    asked.once('socket', () => {
      limit.asked();
    });
    // Node tells of the signal only once there is a connection, or none.
    const ended = addAbortListener(signal, () => {
      reject(new Error('ended by its signal'));
    });
    asked.once('response', (reply) => {
      ended[Symbol.dispose]();
      resolve(reply);
    });
    // Later ones are the body's, whose reader hears of them; once more is one too many.
    asked.on('error', (error) => {
      ended[Symbol.dispose]();
      reject(error);
    });
    asked.end(body);
  });
}

/** The whole body as text, at most `limitBytes` of it. Rejects with EndpointFailure when there is more. */
export async function bodyText(reply: HttpReply, limitBytes = 8 * 1024 * 1024): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of reply.body) {
    length += chunk.length;
    if (length > limitBytes)
      throw new EndpointFailure(`sent an answer of more than ${limitBytes} bytes`, { mayHaveActed: true });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
