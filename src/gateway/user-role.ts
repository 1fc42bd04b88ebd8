import * as z from 'zod';
import { listOf } from './bodies.ts';
import type { GatewayClient } from './client.ts';

const USER_INSTANCES = '/api/types/User/instances';
const schema = z.object({ name: z.string().nullish(), userRole: z.string().nullish() });

/** The role that the array lists for the user; undefined when it lists none, as for users of a directory. One call. */
export async function roleOfUser(
  client: GatewayClient,
  username: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const users = await client.call(
    {
      what: 'list the users',
      method: 'GET',
      path: USER_INSTANCES,
      route: USER_INSTANCES,
      repeatable: true,
      read: listOf(schema),
    },
    signal,
  );
  return users.find(({ name }) => name === username)?.userRole ?? undefined;
}
