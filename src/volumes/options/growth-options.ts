import * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { formatSize } from '../../units/size.ts';
import { readSizeKiB } from './option-readers.ts';
import { option } from './option.ts';

/** How much a volume grows by itself: of its size, or so much. */
export interface GrowthStep {
  readonly percent?: number | undefined;
  readonly kiB?: number | undefined;
}

const LOWEST_PERCENT = 50;
const HIGHEST_PERCENT = 99;
const LARGEST_STEP_PERCENT = 100;

/** How a volume grows by itself where it is mounted (growth/auto-growth.ts). */
export const GROWTH_OPTIONS = {
  /** Percent; 0: it does not. */
  growAbovePercent: option({
    name: 'grow-above',
    isService: true,
    read: readLevel,
    standard: '0',
    label: {
      field: 'growAbovePercent',
      form: z.number().optional(),
      differs: (has, asked) => `it grows above ${levelWords(has)}, ${levelWords(asked)} was asked for`,
      shown: { as: 'above', within: 'growth', value: (percent) => (percent === 0 ? null : `${percent}%`) },
    },
    docs: {
      meaning:
        'how full its file system may get before the host that has it makes it larger by itself, from `50%` to `99%`; takes `grow-max`',
      standard: 'never',
    },
  }),

  growBy: option({
    name: 'grow-by',
    isService: true,
    read: readStep,
    standard: '20%',
    label: {
      field: 'growBy',
      form: z.looseObject({ percent: z.number().optional(), kiB: z.number().optional() }).optional(),
      differs: (has, asked) => `it grows by ${stepWords(has)}, ${stepWords(asked)} was asked for`,
      shown: { as: 'by', within: 'growth', value: stepWords },
    },
    docs: { meaning: 'how much larger: of what it has (`20%`), or a size (`100GiB`); the array rounds up' },
  }),

  /** KiB; 0: none was said. */
  growMaxKiB: option({
    name: 'grow-max',
    isService: true,
    read: (raw) => (raw === '0' ? 0 : readSizeKiB(raw)),
    standard: '0',
    label: {
      field: 'growMaxKiB',
      form: z.number().optional(),
      differs: (has, asked) => `it grows to ${mostWords(has)} at most, ${mostWords(asked)} was asked for`,
      shown: { as: 'max', within: 'growth', value: (kib) => (kib === 0 ? null : formatSize(kib)) },
    },
    docs: { meaning: 'the size that it does not outgrow by itself', standard: 'none' },
  }),
};

/** What is missing of it, as a clause for people; undefined when nothing is. */
export function faultOfGrowth(growth: {
  readonly growAbovePercent: number;
  readonly growMaxKiB: number;
  readonly sizeKiB: number;
  readonly readOnly: boolean;
}): string | undefined {
  const { growAbovePercent, growMaxKiB, sizeKiB, readOnly } = growth;
  if (growAbovePercent === 0) return undefined;
  if (readOnly) return 'grow-above is for volumes that can be written, and readonly was asked for';
  if (growMaxKiB === 0)
    return 'grow-above takes grow-max, the size that it does not outgrow, such as grow-max=1TiB';
  if (growMaxKiB >= sizeKiB) return undefined;
  return `grow-max ${formatSize(growMaxKiB)} is less than its size, ${formatSize(sizeKiB)}`;
}

function readLevel(raw: string): number {
  if (raw === '0') return 0;
  const percent = wholePercent(raw);
  if (percent !== undefined && percent >= LOWEST_PERCENT && percent <= HIGHEST_PERCENT) return percent;
  throw new InvalidRequestError(
    `${quote(raw)} is not a level from ${LOWEST_PERCENT}% to ${HIGHEST_PERCENT}%, or 0 (never)`,
  );
}

function readStep(raw: string): GrowthStep {
  if (!raw.includes('%')) return { kiB: readSizeKiB(raw) };
  const percent = wholePercent(raw);
  if (percent !== undefined && percent >= 1 && percent <= LARGEST_STEP_PERCENT) return { percent };
  throw new InvalidRequestError(
    `${quote(raw)} is not a part from 1% to ${LARGEST_STEP_PERCENT}%, nor a size such as 100GiB`,
  );
}

/** "85%" or "85". */
function wholePercent(raw: string): number | undefined {
  const [, digits] = /^(\d{1,3})\s?%?$/.exec(raw.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function levelWords(percent: number): string {
  return percent === 0 ? 'no level' : `${percent} %`;
}

function stepWords({ percent, kiB }: GrowthStep): string {
  return kiB === undefined ? `${percent ?? 0}%` : formatSize(kiB);
}

function mostWords(kib: number): string {
  return kib === 0 ? 'no size' : formatSize(kib);
}
