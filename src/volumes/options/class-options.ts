import * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { named } from './option-words.ts';
import { option } from './option.ts';

/** How a class may be called. */
export const CLASS_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/;

/** Which of the operator's sets of options a volume was made with. */
export const CLASS_OPTIONS = {
  /** Undefined: none. */
  className: option({
    name: 'class',
    read: readClassName,
    standard: undefined,
    label: {
      field: 'class',
      form: z.string().optional(),
      differs: (has, asked) => named('its class is', 'none', [has ?? '', asked]),
      shown: { as: 'class', value: (name) => name ?? null },
    },
    docs: {
      meaning:
        "one of the operator's [classes](#classes): a name for a set of these options, which hold where others are not asked for",
      standard: 'none',
    },
  }),
};

function readClassName(raw: string): string {
  if (CLASS_NAME.test(raw)) return raw;
  throw new InvalidRequestError(`${quote(raw)} is not the name of a class, such as gold`);
}
