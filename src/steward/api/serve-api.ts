import { certificateRenewal } from '../../host/certificate-files.ts';
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
  const renewal =
    certificate === undefined
      ? undefined
      : certificateRenewal(server.server, { first, certificate, what: 'the API', clock, log });
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
