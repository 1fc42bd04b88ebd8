import { BUILT_IN_DEFAULTS, type LabelledOptions, OPTION_ENTRIES } from './option-table.ts';
import type { KnownFromArray, Shown } from './option.ts';

/**
 * The options in Status, by the names that they have there: what the array tells, and what only a host knows that has created or mounted
 * the volume. Null where this host does not know.
 */
export function describeOptions(
  facts: KnownFromArray,
  labelled: LabelledOptions | undefined,
): Readonly<Record<string, unknown>> {
  const status: Record<string, unknown> = {};
  const label: Readonly<Record<string, unknown>> | undefined = labelled;
  for (const [field, option] of OPTION_ENTRIES) {
    show(status, option.array?.shown, facts);
    const has =
      label === undefined ? undefined : (label[option.label?.field ?? ''] ?? BUILT_IN_DEFAULTS[field]);
    show(status, option.label?.shown, has);
  }
  return status;
}

/** `from`: undefined where this host does not know. */
function show<From>(
  status: Record<string, unknown>,
  shown: Shown<From> | undefined,
  from: From | undefined,
): void {
  if (shown === undefined) return;
  const place = shown.within ?? shown.as;
  if (from === undefined) {
    status[place] = null;
    return;
  }
  const value = shown.value(from);
  status[place] = shown.within === undefined ? value : { ...asObject(status[place]), [shown.as]: value };
  Object.assign(status, shown.notes?.(from));
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
