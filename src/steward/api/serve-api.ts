import { Server as TlsServer } from 'node:tls';
import { createListener, type ServerCertificate } from '../../host/listener.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Periodic } from '../../runtime/periodic.ts';
import { hostAndPort, servedAddress } from '../../runtime/served-address.ts';
import type { ApiParts } from './parts.ts';
import { createApiServer } from './server.ts';

export interface ApiOptions {
  /** IP address or host name, and port: "127.0.0.1:9481", "[::1]:9481". */
  readonly address: string;
  /** As it is now; undefined: plain HTTP. */
  readonly certificate: (() => Promise<ServerCertificate>) | undefined;
}

/** The API while it is served. */
export interface ServedApi {
  close(): Promise<void>;
}

const RENEWAL_MS = 60_000;
const BEAT_MS = 15_000;

/**
 * Serves the API. An address that cannot be had is logged and tried again every 10 s. Rejects as `certificate` does, and with the error of
 * node:tls for one that is none; later ones that are none are logged, and the last good one goes on.
 */
export async function serveApi(
  parts: ApiParts & { readonly clock: Pick<Clock, 'elapsed' | 'sleep'> },
  { address, certificate }: ApiOptions,
): Promise<ServedApi> {
  const { clock, log } = parts;
  const first = await certificate?.();
  const server = createApiServer(parts, (handler) => createListener(first, handler));
  const listening = servedAddress({
    address,
    listen: async () => ({ api: await server.listen(hostAndPort(address)) }),
    what: 'the API is',
    name: 'the API',
    clock,
    log,
  });
  const renewal = renewed(server.server, { first, certificate, clock, log });
  const beats = new Periodic({
    clock,
    firstMs: BEAT_MS,
    pauseMs: () => BEAT_MS,
    turn: () => {
      parts.events.beat();
    },
    onError: (error) => {
      log.error({ error: String(error) }, 'who listens to events cannot be told that the steward is there');
    },
  });
  listening.start();
  beats.start();
  renewal?.start();
  return {
    close: async () => {
      await Promise.all([listening.stop(), renewal?.stop(), beats.stop()]);
      await server.close();
    },
  };
}

function renewed(
  server: unknown,
  {
    first,
    certificate,
    clock,
    log,
  }: Pick<ApiOptions, 'certificate'> &
    Pick<ApiParts, 'log'> & {
      readonly first: ServerCertificate | undefined;
      readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
    },
): Periodic | undefined {
  if (certificate === undefined || !(server instanceof TlsServer)) return undefined;
  let last = first;
  return new Periodic({
    clock,
    firstMs: RENEWAL_MS,
    pauseMs: () => RENEWAL_MS,
    turn: async () => {
      const now = await certificate();
      if (now.cert === last?.cert && now.key === last.key) return;
      server.setSecureContext({ ...now, minVersion: 'TLSv1.2' });
      last = now;
      log.info({}, 'the API has a new certificate');
    },
    onError: (error) => {
      log.error(
        { error: String(error) },
        'the certificate of the API cannot be read again; the last one goes on',
      );
    },
  });
}
