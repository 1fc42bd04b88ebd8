import * as z from 'zod';
import { validateVolumeName } from '../naming.ts';
import { option } from './option.ts';

/** What a volume is a copy of. */
export const COPY_OPTIONS = {
  /** VOLUME or VOLUME@SNAPSHOT as asked for; undefined: it begins empty. */
  from: option({
    name: 'from',
    aliases: ['fromSnapshot', 'fromSnap', 'clone-from', 'cloneOf', 'virtualCopyOf'],
    read: (raw): string => validateVolumeName(raw),
    standard: undefined,
    array: { differs: ({ origin }) => origin },
    label: {
      field: 'from',
      form: z.string().optional(),
      differs: (has, asked) =>
        `it ${has === undefined ? 'was made empty' : `is a copy of "${has}"`}, a copy of "${asked}" was asked for`,
      shown: { as: 'from', value: (from) => from ?? null },
    },
    docs: {
      meaning:
        'the volume (`db`) or snapshot (`db@before`) that it is to be a writable [copy](#copies) of, with its options where others are not asked for',
      standard: 'none, it begins empty',
    },
  }),
};
