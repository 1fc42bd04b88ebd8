import { connect, createServer } from 'node:net';

/*
 * Lets processes outside of a lab's network talk to one address in it: forwards a unix socket, which no network
 * namespace holds back. Usage: forward.ts SOCKET HOST PORT
 */
const [socket, host, port] = process.argv.slice(2);

createServer((near) => {
  const far = connect(Number(port), host ?? '');
  const end = (): void => {
    near.destroy();
    far.destroy();
  };
  near.on('error', end).on('close', end);
  far.on('error', end).on('close', end);
  near.pipe(far).pipe(near);
}).listen(socket);
