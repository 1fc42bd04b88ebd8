/**
 * The new value with what a newer plugin had added to the one before (rule 19). `own`: the fields that this program
 * knows, of which only the new value tells.
 */
export function keepAdded<T extends object>(before: object, now: T, own: ReadonlySet<string>): T {
  const added = Object.entries(before).filter(([field]) => !own.has(field));
  return added.length === 0 ? now : { ...Object.fromEntries(added), ...now };
}
