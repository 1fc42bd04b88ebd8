import { setImmediate } from 'node:timers/promises';
import type * as z from 'zod';
import { bodyText, type HttpReply } from './http.ts';
import { eachElement } from './json-array.ts';
import { understand } from './schemas.ts';

/** Reads one JSON object of the given shape. */
export function objectOf<Schema extends z.ZodType>(
  schema: Schema,
): (reply: HttpReply) => Promise<z.output<Schema>> {
  return async (reply) => understand(schema, JSON.parse(await bodyText(reply)));
}

/** Reads whatever an action answers; `{}` and an empty body are the same. */
export async function nothing(reply: HttpReply): Promise<void> {
  await bodyText(reply);
}

/**
 * Reads a list of any length as it arrives, keeping the elements that pass; what does not pass is never looked at
 * closer. Holds the event loop for a few milliseconds at a time.
 */
export function listOf<Schema extends z.ZodType>(
  schema: Schema,
  passes: (element: object) => boolean = () => true,
): (reply: HttpReply) => Promise<z.output<Schema>[]> {
  return pickedOf((element) => (passes(element) ? understand(schema, element) : undefined));
}

/** Reads a list of any length as listOf does, keeping what `pick` makes of its elements, without the undefined. */
export function pickedOf<T>(pick: (element: object) => T | undefined): (reply: HttpReply) => Promise<T[]> {
  return async (reply) => {
    const kept: T[] = [];
    const take = (element: unknown): void => {
      const picked = pick(typeof element === 'object' && element !== null ? element : {});
      if (picked !== undefined) kept.push(picked);
    };
    await eachElement(reply.body, take, () => setImmediate());
    return kept;
  };
}
