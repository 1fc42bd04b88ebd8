import { request } from 'undici';

/** Uses the simulator's fault controls, with which it is also seeded and its requests are read. */
export async function control(
  gateway: string,
  method: 'GET' | 'POST' | 'DELETE',
  what: string,
  body?: object,
): Promise<unknown> {
  const json = { 'content-type': 'application/json' };
  const reply = await request(`${gateway}/simulator/${what}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: json }),
    headersTimeout: 120_000,
  });
  const answer: unknown = await reply.body.json();
  if (reply.statusCode !== 200) throw new Error(`/simulator/${what}: ${JSON.stringify(answer)}`);
  return answer;
}
