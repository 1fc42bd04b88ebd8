import { once } from 'node:events';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { json } from 'node:stream/consumers';

/** What a service of this host answers to a GET on its unix socket, such as the Docker engine. Rejects with the error of the socket. */
export async function askUnixSocket(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await responseTo({ socketPath, path, signal });
  if (response.statusCode === 200) return json(response);
  response.resume();
  throw new Error(`"${socketPath}" answers ${response.statusCode} to ${path}`);
}

/** Sends a JSON body with a POST, and answers status and body, whatever they are. Rejects as askUnixSocket, and for a body that is no JSON. */
export async function postToUnixSocket(
  {
    socketPath,
    path,
    signal,
  }: { readonly socketPath: string; readonly path: string; readonly signal: AbortSignal },
  body: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const headers = { 'content-type': 'application/json' };
  const response = await responseTo(
    { socketPath, path, signal, method: 'POST', headers },
    JSON.stringify(body),
  );
  return { status: response.statusCode ?? 0, body: await json(response) };
}

async function responseTo(options: RequestOptions, body = ''): Promise<IncomingMessage> {
  const sent = request({ ...options, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}
