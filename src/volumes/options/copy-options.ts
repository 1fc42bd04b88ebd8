import * as z from 'zod';
import { validateVolumeName } from '../naming.ts';
import { option } from './option.ts';
import { readObjectName } from './option-readers.ts';

/** What a volume is a copy of, and what takes copies of it. */
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

  /** By its exact name on the array; undefined: none. */
  snapshotPolicy: option({
    name: 'snapshot-policy',
    aliases: ['snapshotPolicy'],
    read: readObjectName,
    standard: undefined,
    array: {
      differs: ({ volume: { policyId }, askedPolicy }, asked) =>
        askedPolicy === undefined || policyId === askedPolicy.id
          ? undefined
          : `it has ${policyId === null ? 'no snapshot policy' : `snapshot policy "${policyId}"`}, "${asked}" was asked for`,
      shown: { as: 'snapshotPolicy', value: ({ volume }) => volume?.policyId ?? null },
    },
    docs: {
      meaning:
        'the [policy](volumes.md#snapshots-by-a-policy-of-the-array) of the array that takes snapshots of it, by its name there (3.0 and later); Status shows its id',
      standard: 'none',
    },
  }),
};
