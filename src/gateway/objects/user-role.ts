import * as z from 'zod';
import type { GatewayClient } from '../wire/client.ts';
import { listInstances } from './instances.ts';

const USER_INSTANCES = '/api/types/User/instances';
const schema = z.object({ name: z.string().nullish(), userRole: z.string().nullish() });

/** The role that the array lists for the user; undefined when it lists none, as for users of a directory. One call. */
export async function roleOfUser(
  client: GatewayClient,
  username: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const users = await listInstances(client, { what: 'list the users', path: USER_INSTANCES, schema }, signal);
  return users.find(({ name }) => name === username)?.userRole ?? undefined;
}
