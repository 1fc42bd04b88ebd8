import { activatedFd, listenOnFd } from '../../../src/docker/protocol/socket.ts';
import { buildServer } from './started-server.ts';

/*
 * A program that systemd starts with a socket: listens on it until its stdin ends. Run by socket.test.ts, which plays
 * systemd but cannot know the process id before.
 */
const { app } = buildServer();
await app.ready();
const fd = activatedFd({ listenFds: '1', listenPid: String(process.pid), ownPid: process.pid });
if (fd === undefined) throw new Error('no socket handed over');
await listenOnFd(app.server, fd);
process.stdout.write('listening\n');
process.stdin.resume().once('end', () => {
  app.server.closeAllConnections();
  void app.close();
});
