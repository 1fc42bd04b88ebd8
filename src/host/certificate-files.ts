import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Periodic } from '../runtime/periodic.ts';
import type { ServerCertificate } from './listener.ts';

const RENEWAL_MS = 60_000;

/** Certificate and key as the files hold them now. `what` serves with them, as "the API". Rejects with ConfigError. */
export async function certificateIn(
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  what: string,
): Promise<ServerCertificate> {
  const [cert = '', key = ''] = await Promise.all([certFile, keyFile].map((file) => pemIn(file, what)));
  return { cert, key };
}

async function pemIn(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConfigError(`cannot read "${file}" for ${what}: ${code}`, { cause });
  }
}

interface Renewal {
  /** What it serves with now. */
  readonly first: ServerCertificate | undefined;
  /** As it is now. */
  readonly certificate: () => Promise<ServerCertificate>;
  /** As "the API". */
  readonly what: string;
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly log: Log;
}

/**
 * Has a server serve with a renewed certificate within a minute, not started yet; undefined for one without TLS. One that cannot be read or is none
 * is logged, and the last good one goes on.
 */
export function certificateRenewal(
  server: Server,
  { first, certificate, what, clock, log }: Renewal,
): Periodic | undefined {
  if (!(server instanceof TlsServer)) return undefined;
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
      log.info({}, `${what} has a new certificate`);
    },
    onError: (error) => {
      log.error(
        { error: String(error) },
        `the certificate of ${what} cannot be read again; the last one goes on`,
      );
    },
  });
}
