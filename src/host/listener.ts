import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** PEM texts. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** For a whole request, and for a handshake; an answer may take longer. */
const SLOW_MS = 10_000;
const CHECK_MS = 1000;
const SHORT = {
  requestTimeout: SLOW_MS,
  headersTimeout: SLOW_MS,
  connectionsCheckingInterval: CHECK_MS,
} as const;

/** A server that listens nowhere yet and lets nobody take his time: with TLS from 1.2 on where it has a certificate. */
export function createListener(certificate: ServerCertificate | undefined, handler: RequestListener): Server {
  if (certificate === undefined) return createServer(SHORT, handler);
  const options = { ...SHORT, ...certificate, minVersion: 'TLSv1.2', handshakeTimeout: SLOW_MS } as const;
  return createTlsServer(options, handler);
}
