import { chmod, lstat, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect, type ListenOptions } from 'node:net';
import { dirname, join } from 'node:path';
import { once } from 'node:events';

import { ConfigError, UsageError } from '../../errors.ts';
import { makeDirectories } from '../../host/files.ts';

/** Descriptor of the first socket that systemd hands over. [sd_listen_fds(3)] */
const FIRST_FD = 3;

/** How a directory begins in which a socket is made. */
const ASIDE = '.s-';
const ABANDONED_MS = 600_000;

/** Longest path of a unix socket that every kernel takes. [unix(7)] */
const LONGEST_PATH_BYTES = 107;

/**
 * Connections that wait to be accepted. An engine that starts opens one per volume it knows, all at once, and the
 * kernel turns away what does not fit; its own limit (net.core.somaxconn) caps this.
 */
const BACKLOG = 4096;

/** What systemd says in the environment, and who we are. */
export interface SystemdHandover {
  readonly listenFds: string | undefined;
  readonly listenPid: string | undefined;
  readonly ownPid: number;
}

/**
 * The descriptor of the socket that systemd made for this process, undefined when it made none. Throws UsageError
 * when it made more than one.
 */
export function activatedFd({ listenFds, listenPid, ownPid }: SystemdHandover): number | undefined {
  const count = Number(listenFds ?? 0);
  if (Number(listenPid) !== ownPid || !(count >= 1)) return undefined;
  if (count === 1) return FIRST_FD;
  throw new UsageError(
    `systemd handed over ${count} sockets, expected 1; leave one ListenStream in the socket unit`,
  );
}

/**
 * Listens on a socket that somebody else made and keeps (systemd): it is neither changed nor removed, so that an
 * engine can connect while the plugin is away. Rejects with UsageError when it is no socket that can be listened on.
 */
export async function listenOnFd(server: Server, fd: number): Promise<void> {
  try {
    await listen(server, { fd });
  } catch (cause) {
    throw new UsageError(
      `LISTEN_FDS says that systemd handed over a socket, but descriptor ${fd} is none that can be listened on (${reasonOf(cause)}); ` +
        'start the program by its socket unit, or without LISTEN_FDS and LISTEN_PID in its environment',
      { cause },
    );
  }
}

/**
 * Listens on a path, mode 0600, in a directory that is made if missing. A socket that nobody answers on is replaced;
 * one that somebody answers on, or anything else in its place, is left alone and refused with ConfigError.
 *
 * The socket is made aside and moved into place: it is never there with another mode, there is no moment without
 * one, and it stays when the plugin ends, so that a restart of the plugin is a refused connection to the engine, not
 * an unknown driver. Aside means a directory of its own: the engine takes every socket directly in its plugin
 * directory for a plugin, and remembers it. [moby discovery.go]
 */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  const directory = dirname(path);
  try {
    await makeDirectories(directory, 0o755);
    await refuseUnlessFree(path);
    await moveIntoPlace(server, path, directory);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`cannot listen on socket "${path}": ${reasonOf(cause)}`, { cause });
  }
}

async function moveIntoPlace(server: Server, path: string, directory: string): Promise<void> {
  const aside = await mkdtemp(join(directory, ASIDE));
  await removeAbandoned(directory, aside);
  try {
    const made = join(aside, 's');
    refuseLongPath(made);
    refuseLongPath(path);
    await listen(server, { path: made });
    await chmod(made, 0o600);
    await rename(made, path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(join(aside, 's'), { force: true });
    await rmdir(aside);
  }
}

/** What a start that was killed left. One that is on its way elsewhere is young, or answers. */
async function removeAbandoned(directory: string, aside: string): Promise<void> {
  const now = (await lstat(aside)).mtimeMs;
  for (const name of await readdir(directory)) {
    const abandoned = join(directory, name);
    if (!name.startsWith(ASIDE) || abandoned === aside) continue;
    try {
      const found = await lstat(abandoned);
      const isOld = found.isDirectory() && found.mtimeMs < now - ABANDONED_MS;
      if (!isOld || (await isAnswered(join(abandoned, 's')))) continue;
      await rm(join(abandoned, 's'), { force: true });
      await rmdir(abandoned);
    } catch (error) {
      // Gone meanwhile, or not ours to take away: it keeps nobody from listening.
      if (!['ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR'].includes(reasonOf(error)))
        throw error;
    }
  }
}

/** The kernel would cut a longer path without a word. */
function refuseLongPath(path: string): void {
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return;
  throw new ConfigError(
    `socket path "${path}" is longer than ${LONGEST_PATH_BYTES} bytes; choose a shorter one`,
  );
}

async function refuseUnlessFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (reasonOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ConfigError(`"${path}" is there and is not a socket; remove it or choose another socket path`);
  }
  if (await isAnswered(path)) {
    throw new ConfigError(
      `another program answers on socket "${path}"; stop it or choose another socket path`,
    );
  }
}

/** False only when the kernel says that nobody listens; a full queue is somebody's. */
async function isAnswered(path: string): Promise<boolean> {
  const probe = connect({ path });
  try {
    await once(probe, 'connect');
    return true;
  } catch (error) {
    return !['ECONNREFUSED', 'ENOENT'].includes(reasonOf(error));
  } finally {
    probe.destroy();
  }
}

async function listen(server: Server, where: ListenOptions & { fd?: number }): Promise<void> {
  const listening = once(server, 'listening');
  server.listen({ ...where, backlog: BACKLOG });
  await listening;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
