import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { activatedFd, listenOnPath } from '../../../src/docker/protocol/socket.ts';
import { ConfigError } from '../../../src/errors.ts';
import { socketClient } from './target.ts';

const PROGRAM = fileURLToPath(new URL('activated-server.ts', import.meta.url));

describe('the socket', () => {
  let directory: string;
  let path: string;
  const servers: Server[] = [];

  const serverSaying = (text: string) => {
    const server = createServer((request, response) => {
      request.resume();
      response.end(text);
    });
    servers.push(server);
    return server;
  };
  const close = async (server: Server) => {
    server.closeAllConnections();
    server.close();
    if (server.listening) await once(server, 'close');
  };
  const ask = async () => {
    const client = socketClient(path);
    const outcome = await client.request({ path: '/' });
    client.end();
    return outcome.kind === 'answer' ? outcome.text : outcome.kind;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dvs-'));
    path = join(directory, 'run/docker/plugins/scaleio.sock');
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(close));
    await rm(directory, { recursive: true });
  });

  it('is made with mode 0600 in a directory that is made, and nothing else is left there', async () => {
    await listenOnPath(serverSaying('one'), path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(path))).toEqual(['scaleio.sock']);
    expect(await ask()).toBe('one');
  });

  it('stays when its server ends, and is replaced by the next one', async () => {
    const first = serverSaying('one');
    await listenOnPath(first, path);
    await close(first);
    expect((await lstat(path)).isSocket()).toBe(true);
    expect(await ask()).toBe('dropped');
    await listenOnPath(serverSaying('two'), path);
    expect(await ask()).toBe('two');
  });

  it('is left alone while somebody answers on it', async () => {
    await listenOnPath(serverSaying('one'), path);
    const second = serverSaying('two');
    await expect(listenOnPath(second, path)).rejects.toThrow(
      /another program answers on socket ".*scaleio\.sock"/,
    );
    await expect(listenOnPath(second, path)).rejects.toBeInstanceOf(ConfigError);
    expect(second.listening).toBe(false);
    expect(await ask()).toBe('one');
  });

  it('takes away what a killed start left aside, and nothing that is young, answers or is not such a thing', async () => {
    const beside = dirname(path);
    await mkdir(beside, { recursive: true });
    const aside = async (name: string): Promise<string> => {
      await mkdir(join(beside, name));
      return join(beside, name, 's');
    };
    await writeFile(await aside('.s-killed'), '');
    await aside('.s-killed-sooner');
    await aside('.s-young');
    const answering = serverSaying('two').listen(await aside('.s-answers'));
    await once(answering, 'listening');
    await aside('.s-full');
    await writeFile(join(beside, '.s-full/of-others'), '');
    await aside('other');
    const longAgo = new Date(performance.timeOrigin - 3_600_000);
    for (const name of await readdir(beside))
      if (name !== '.s-young') await utimes(join(beside, name), longAgo, longAgo);
    await listenOnPath(serverSaying('one'), path);
    const left = ['.s-answers', '.s-full', '.s-young', 'other', 'scaleio.sock'];
    expect((await readdir(beside)).toSorted()).toEqual(left);
  });

  it('does not replace a file that is no socket', async () => {
    path = join(directory, 'file');
    await writeFile(path, 'precious');
    await expect(listenOnPath(serverSaying('one'), path)).rejects.toThrow(/is not a socket/);
    expect((await stat(path)).size).toBe(8);
  });

  it('is refused where the kernel would cut its path, and leaves nothing behind', async () => {
    path = join(directory, 'x'.repeat(120));
    await expect(listenOnPath(serverSaying('one'), path)).rejects.toThrow(/longer than 107 bytes/);
    expect(await readdir(directory)).toEqual([]);
  });

  it('says why it cannot be made', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const impossible = join(file, 'plugins/scaleio.sock');
    await expect(listenOnPath(serverSaying('one'), impossible)).rejects.toThrow(
      /cannot listen on socket ".*": ENOTDIR/,
    );
  });

  it('is taken over from systemd, and neither changed nor removed', async () => {
    path = join(directory, 'scaleio.sock');
    const systemd = createSocketServer();
    systemd.listen(join(directory, 'made'));
    await once(systemd, 'listening');
    // Closing a server unlinks the path that it listened on, which systemd would not.
    await rename(join(directory, 'made'), path);
    await chmod(path, 0o640);
    const before = await stat(path);
    const { fd } = (systemd as unknown as { _handle: { fd: number } })._handle;
    const program = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit', fd] });
    await once(program.stdout as NodeJS.ReadableStream, 'data');
    systemd.close();
    await once(systemd, 'close');
    const client = socketClient(path);
    expect(await client.request({ path: '/Plugin.Activate' })).toMatchObject({
      text: '{"Implements":["VolumeDriver"]}',
    });
    client.end();
    (program.stdin as NodeJS.WritableStream).end();
    expect(await once(program, 'exit')).toEqual([0, null]);
    const after = await stat(path);
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
  });
});

describe('activatedFd', () => {
  const handed = (listenFds: string | undefined, listenPid: string | undefined) =>
    activatedFd({ listenFds, listenPid, ownPid: 42 });

  it('is the first socket that systemd handed to this process', () => {
    expect(handed('1', '42')).toBe(3);
  });

  it.each([
    [undefined, undefined],
    ['1', undefined],
    ['1', '41'],
    ['0', '42'],
    ['x', '42'],
    ['', ''],
  ])('is nothing when LISTEN_FDS is %s and LISTEN_PID is %s', (listenFds, listenPid) => {
    expect(handed(listenFds, listenPid)).toBeUndefined();
  });

  it('refuses several sockets, of which it would serve only one', () => {
    expect(() => handed('2', '42')).toThrow(/handed over 2 sockets/);
  });
});
