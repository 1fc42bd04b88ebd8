import { once } from 'node:events';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';

/** What a gateway shows to whoever connects, before any log-in. */
export interface GatewayView {
  /** Undefined without TLS. */
  readonly certificate:
    | {
        /** Milliseconds since 1970. */
        readonly validUntilMs: number;
        readonly issuer: string;
        readonly selfSigned: boolean;
        /** OpenSSL's word for why it would not be trusted; undefined when it would. */
        readonly distrust: string | undefined;
      }
    | undefined;
  /** Its clock, milliseconds since 1970; undefined when it does not tell. */
  readonly clockMs: number | undefined;
  /** Ours at the same moment. */
  readonly ownClockMs: number;
}

/**
 * Connects, trusting whoever answers and telling nothing but the request for the version, and looks at the certificate and
 * the clock. `ca`: PEM of the only authorities to trust. Rejects with the error of the network, or the signal's reason.
 */
export async function viewGateway(
  endpoint: string,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<GatewayView> {
  const url = new URL('/api/version', endpoint);
  const options = {
    signal,
    agent: false as const,
    rejectUnauthorized: false,
    ...(ca === undefined ? {} : { ca }),
  };
  const sent =
    url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, { signal, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const ownClockMs = Date.now();
  const certificate =
    response.socket instanceof TLSSocket ? certificateOf(response.socket, url.hostname) : undefined;
  const clockMs = Date.parse(response.headers.date ?? '');
  sent.destroy();
  return { certificate, clockMs: Number.isNaN(clockMs) ? undefined : clockMs, ownClockMs };
}

function certificateOf(socket: TLSSocket, host: string): GatewayView['certificate'] {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  const forHost = shown.checkHost(host) ?? shown.checkIP(host);
  const distrust = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    validUntilMs: Date.parse(shown.validTo),
    issuer: shown.issuer.replaceAll('\n', ', '),
    selfSigned: shown.subject === shown.issuer && shown.checkIssued(shown),
    distrust: distrust ?? (forHost === undefined ? `it is not for the name "${host}"` : undefined),
  };
}
