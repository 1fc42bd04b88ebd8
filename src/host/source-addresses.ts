import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';

/** Any will do: nothing is sent. */
const DISCARD_PORT = 9;

/**
 * This host's own addresses from which packets to these addresses would leave, as the routing table has it now; none for
 * targets that there is no route to, or that are no addresses.
 */
export async function sourceAddresses(targets: readonly string[]): Promise<string[]> {
  const found = await Promise.all(targets.map(sourceAddress));
  return [...new Set(found.filter((address) => address !== undefined))];
}

async function sourceAddress(target: string): Promise<string | undefined> {
  const family = isIP(target);
  if (family === 0) return undefined;
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    const connected = once(socket, 'connect');
    socket.connect(DISCARD_PORT, target);
    await connected;
    return socket.address().address;
  } catch {
    return undefined; // no route to it: nothing would leave for there
  } finally {
    socket.close();
  }
}
