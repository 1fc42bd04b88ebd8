import { Agent, buildConnector, errors } from 'undici';
import { AnswerLimit, type Patience } from './answer-limit.ts';
import { EndpointFailure } from './failures.ts';

export interface HttpOptions {
  /** PEM content, asked for at each connection; when given, only these authorities are trusted. Never rejects. */
  readonly ca: (() => Promise<string>) | undefined;
  /** True: any certificate is taken. Only when the user said so in so many words. */
  readonly insecure: boolean;
  readonly connectTimeoutMs: number;
  /** Connections per gateway. */
  readonly connections: number;
}

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
  close(): Promise<void>;
}

const OLD_TLS = 'speaks only TLS 1.1 or older, which is refused; turn on TLS 1.2 at the gateway';

/** Of a port that was spoken to in plain HTTP. */
export const PROBABLY_HTTPS = 'probably HTTPS: write https:// in SCALEIO_ENDPOINT';

/** Node, OpenSSL and undici codes in the operator's words. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection cut',
  EPIPE: 'connection cut',
  UND_ERR_SOCKET: 'connection cut',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'name service does not answer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'answer stopped half-way',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'answer was cut short',
  UND_ERR_DESTROYED: 'the plugin is closing',
  UND_ERR_CLOSED: 'the plugin is closing',
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
  // It bears no code in this undici.
  if (error instanceof errors.HTTPParserError)
    return origin?.startsWith('http:') === true
      ? `this port does not speak HTTP, ${PROBABLY_HTTPS}`
      : 'does not speak HTTP';
  return code === '' ? 'request failed' : `request failed: ${code}`;
}

/**
 * HTTP to the gateways: kept-alive connections, time limits, TLS verified unless the user said otherwise (rule 11). The
 * only user of undici.
 */
export function createHttp(options: HttpOptions): Http {
  // An error of the connecting phase proves that nothing was sent; undici does not say which phase it was.
  const whileConnecting = new WeakSet<Error>();
  const agent = new Agent({
    connections: options.connections,
    // Tomcat closes idle connections after 20 s; nearer to that, more requests meet a connection being closed.
    keepAliveTimeout: 10_000,
    connect: connecting(options, (error) => whileConnecting.add(error)),
  });

  const failure = (error: unknown, signal: AbortSignal, limit: AnswerLimit, origin?: string): unknown => {
    if (signal.aborted) return signal.reason;
    if (limit.signal.aborted) return limit.signal.reason;
    const mayHaveActed = !(error instanceof Error && whileConnecting.has(error));
    return new EndpointFailure(reasonOf(error, origin), { mayHaveActed, cause: error });
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
      const { patience, signal, ...rest } = request;
      const limit = new AnswerLimit(patience);
      try {
        const reply = await agent.request({
          ...rest,
          body: request.body ?? null,
          signal: AbortSignal.any([signal, limit.signal]),
          headersTimeout: patience.silenceMs,
          bodyTimeout: patience.silenceMs,
        });
        limit.begin();
        return {
          status: reply.statusCode,
          contentType: headerText(reply.headers['content-type']) ?? '',
          location: headerText(reply.headers['location']),
          isEncrypted: request.origin.startsWith('https:'),
          body: guarded(reply.body, signal, limit),
        };
      } catch (error) {
        limit.end();
        throw failure(error, signal, limit, request.origin);
      }
    },
    close: () => agent.destroy(),
  };
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Connects with the authorities as they are at that moment; `failed` is told of errors of this phase, in which nothing was sent. */
function connecting(options: HttpOptions, failed: (error: Error) => void): ReturnType<typeof buildConnector> {
  const connectorFor = (ca: string | undefined): ReturnType<typeof buildConnector> =>
    buildConnector({
      timeout: options.connectTimeoutMs,
      rejectUnauthorized: !options.insecure,
      ...(ca === undefined ? {} : { ca }),
    });
  let connector = { ca: undefined as string | undefined, connect: connectorFor(undefined) };
  /** One per content of the authorities: a session that another one let in must not be taken up again. */
  const currentConnector = async (): Promise<ReturnType<typeof buildConnector>> => {
    const ca = await options.ca?.();
    if (ca !== connector.ca) connector = { ca, connect: connectorFor(ca) };
    return connector.connect;
  };
  return (target, callback) => {
    const refuse = (error: Error): void => {
      failed(error);
      callback(error, null);
    };
    currentConnector()
      .then((connect) => {
        connect(target, (...[error, socket]) => {
          if (error === null) callback(null, socket);
          else refuse(error);
        });
      })
      // Authorities that OpenSSL cannot make anything of.
      .catch((error: unknown) => {
        refuse(error instanceof Error ? error : new Error(String(error)));
      });
  };
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
