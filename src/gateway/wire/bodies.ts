import { setImmediate } from 'node:timers/promises';
import type * as z from 'zod';
import { EndpointFailure } from './failures.ts';
import { bodyText, type HttpReply } from './http.ts';
import { eachElement } from './json-array.ts';
import { understand } from './fields.ts';

/** Reads one JSON object of the given shape; rule 15: with `id`, none but the object that was asked for. */
export function objectOf<Schema extends z.ZodType>(
  schema: Schema,
  id?: string,
): (reply: HttpReply) => Promise<z.output<Schema>> {
  return async (reply) => {
    const value: unknown = JSON.parse(await bodyText(reply));
    if (id !== undefined && idOf(value) !== id) throw unclear(`is not about "${id}", which was asked for`);
    return understand(schema, value);
  };
}

/** Nothing, or not what was asked for: what is asked about stays unknown. */
export function unclear(how: string): EndpointFailure {
  return new EndpointFailure(`answer ${how}`, { mayHaveActed: true, kind: 'unreadable' });
}

function idOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
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

/**
 * Reads a list of any length as listOf does, keeping what `pick` makes of its elements, without the undefined. An element
 * that is no object of the array (they all have an id) makes the list unknown, rather than shorter.
 */
export function pickedOf<T>(pick: (element: object) => T | undefined): (reply: HttpReply) => Promise<T[]> {
  return async (reply) => {
    const kept: T[] = [];
    const take = (element: unknown): void => {
      const id = idOf(element);
      if (typeof id !== 'string' || id === '') throw unclear('lists something without an id');
      const picked = pick(element as object);
      if (picked !== undefined) kept.push(picked);
    };
    await eachElement(reply.body, take, () => setImmediate());
    return kept;
  };
}
