import type { CreateOptions } from './create-options.ts';
import { type LabelledOptions, BUILT_IN_DEFAULTS, OPTION_ENTRIES } from './option-table.ts';
import type { ArrayFacts } from './option.ts';

/**
 * What a volume has otherwise than the caller asked for in so many words, each as a clause for people; defaults differ from nothing.
 * Without a label only what the array tells is compared.
 */
export function compareOptions(
  facts: ArrayFacts & { readonly label: LabelledOptions | undefined },
  options: CreateOptions,
): string[] {
  const label: Readonly<Record<string, unknown>> | undefined = facts.label;
  const differences = new Set<string>();
  for (const [field, option] of OPTION_ENTRIES) {
    if (!options.explicit.has(field)) continue;
    const asked = options[field];
    const difference = option.array?.differs?.(facts, asked);
    if (difference !== undefined) differences.add(difference);
    if (label === undefined || option.label?.differs === undefined) continue;
    const has = label[option.label.field] ?? BUILT_IN_DEFAULTS[field];
    if (JSON.stringify(has) !== JSON.stringify(asked)) differences.add(option.label.differs(has, asked));
  }
  return [...differences];
}
