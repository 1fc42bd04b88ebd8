import type * as z from 'zod';
import { listOf } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';

/** One type of the array's objects. */
interface Listing<Schema extends z.ZodType> {
  /** As it follows "cannot ": 'list storage pools'. */
  readonly what: string;
  /** "/api/types/…/instances". */
  readonly path: string;
  readonly schema: Schema;
  /** Where the gateway needs long to gather them, ms. */
  readonly timeoutMs?: number;
}

/** All objects of one type, in one call. Rejects as GatewayClient.call. */
export function listInstances<Schema extends z.ZodType>(
  client: GatewayClient,
  { what, path, schema, timeoutMs }: Listing<Schema>,
  signal: AbortSignal,
): Promise<z.output<Schema>[]> {
  return client.call(
    {
      what,
      method: 'GET',
      path,
      route: path,
      repeatable: true,
      isList: true,
      timeoutMs,
      read: listOf(schema),
    },
    signal,
  );
}
