import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { FastifyInstance } from 'fastify';

import { createDockerServer, type DockerServerOptions } from '../../../src/docker/protocol/server.ts';
import { listenOnPath } from '../../../src/docker/protocol/socket.ts';
import { FakeDriver } from './fake-driver.ts';

interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface BuiltServer {
  readonly app: FastifyInstance;
  readonly driver: FakeDriver;
  readonly log: LogLine[];
}

/** The protocol server over a driver in memory, not listening. */
export function buildServer(options: Partial<DockerServerOptions> = {}): BuiltServer {
  const driver = new FakeDriver();
  const log: LogLine[] = [];
  let requests = 0;
  const writer = (level: LogLine['level']) => (facts: object, message: string) => {
    log.push({ level, message, facts: { ...facts } });
  };
  const app = createDockerServer({
    driver,
    log: { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') },
    newRequestId: () => `request-${(requests += 1)}`,
    ...options,
  });
  return { app, driver, log };
}

export interface ListeningServer extends BuiltServer {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** The same, listening on a socket of its own. */
export async function listeningServer(options: Partial<DockerServerOptions> = {}): Promise<ListeningServer> {
  const directory = await mkdtemp(join(tmpdir(), 'dvs-'));
  const socketPath = join(directory, 'scaleio.sock');
  const built = buildServer(options);
  await built.app.ready();
  await listenOnPath(built.app.server, socketPath);
  return {
    ...built,
    socketPath,
    close: async () => {
      built.app.server.closeAllConnections();
      await built.app.close();
      await rm(directory, { recursive: true });
    },
  };
}
