import type { FastifyInstance } from 'fastify';
import { SimulatorError, systemCode } from './simulator-error.ts';

/** What listens, and the flag that moves it elsewhere. */
interface Listener {
  readonly what: string;
  readonly flag: string;
  readonly host: string;
  readonly port: number;
}

/** Listens, or throws SimulatorError that says why not and what to do. */
export async function listen(app: FastifyInstance, { what, flag, host, port }: Listener): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new SimulatorError(
      `The simulated ${what} cannot listen on ${host.includes(':') ? `[${host}]` : host}:${port}: ${REASONS[code] ?? String(error)}. Give another address with ${flag}, or port 0 for any free one.`,
      { cause: error },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this port may only be opened by root',
  ENOTFOUND: 'this name has no address',
};
