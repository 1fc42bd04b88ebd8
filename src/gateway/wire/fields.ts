import * as z from 'zod';
import { EndpointFailure } from './failures.ts';

/*
 * Kinds of fields in answers, read loosely: gateways and what stands in front of them write numbers and booleans as
 * strings now and then, leave fields out, or say null where a list is empty.
 */

export const number = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
export const boolean = z.union([z.boolean(), z.string().transform((text) => text.toLowerCase() === 'true')]);
export const id = z.string().min(1);
export const name = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === '' ? null : text));

/** The value in our words; rejects with EndpointFailure that names the first field which is not as expected. */
export function understand<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where =
    issue === undefined || issue.path.length === 0 ? 'its top level' : issue.path.map(String).join('.');
  throw new EndpointFailure(`answer cannot be understood at ${where}: ${issue?.message ?? 'unknown shape'}`, {
    mayHaveActed: true,
    kind: 'unreadable',
  });
}
