import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** No connection with the right certificate came about: nothing of the request was sent. */
export class NotConnectedError extends Error {}

export interface TlsPost {
  /** Host name or IP address and port: "node1:9490", "[::1]:9490". */
  readonly address: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of the authorities that may have signed the other's certificate. */
  readonly ca: string;
  /** For connection and handshake, ms. */
  readonly connectMs: number;
  readonly signal: AbortSignal;
}

const LARGEST_ANSWER = 1024 ** 2;

/**
 * Sends a JSON body with a POST, once, over a connection of its own, and answers status and body, whatever they are. Rejects with NotConnectedError
 * as long as nothing was sent; with any other error it may have been read. An answer over 1 MiB is an error, and one that is no JSON.
 */
export async function postOverTls(post: TlsPost, body: unknown): Promise<{ status: number; body: unknown }> {
  const { address, path, headers, ca, connectMs, signal } = post;
  const { hostname, port } = new URL(`https://${address}`);
  const text = JSON.stringify(body);
  const sent = request({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 443 : Number(port),
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers },
    ca,
    minVersion: 'TLSv1.2',
    agent: false,
    signal,
  });
  const seen = { isConnected: false };
  const tooLong = setTimeout(() => {
    sent.destroy(new Error(`no connection within ${connectMs} ms`));
  }, connectMs);
  sent.once('socket', (socket) => {
    socket.once('secureConnect', () => {
      seen.isConnected = true;
      clearTimeout(tooLong);
      // Not before: what is sent bears a secret, which is for who has the right certificate alone.
      sent.end(text);
    });
  });
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await jsonOf(response) };
  } catch (cause) {
    if (seen.isConnected) throw cause;
    throw new NotConnectedError(cause instanceof Error ? cause.message : String(cause), { cause });
  } finally {
    clearTimeout(tooLong);
    sent.destroy();
  }
}

async function jsonOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER) throw new Error(`the answer is longer than ${LARGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}
