import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

/** What a service of this host answers to a GET on its unix socket, such as the Docker engine. Rejects with the error of the socket. */
export async function askUnixSocket(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  const sent = request({ socketPath, path, signal, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode === 200) return json(response);
  response.resume();
  throw new Error(`"${socketPath}" answers ${response.statusCode} to ${path}`);
}
