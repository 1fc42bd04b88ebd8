import { InvalidRequestError } from '../errors.ts';
import { quote } from './quote.ts';

/*
 * Written by hand on purpose, as duration.ts is: libraries for sizes (bytes, pretty-bytes) compute in floating point, round, take what they
 * do not know for a number, and do not say which unit was meant when none was written.
 */

/** Largest volume of the array, 1 PiB (system limit volumeSizeGb 1048576). [csi-powerflex querySystemLimits] */
export const MAX_VOLUME_KIB = 1024 ** 4;

const KIB_BYTES = 1024n;
const MAX_BYTES = BigInt(MAX_VOLUME_KIB) * KIB_BYTES;
const LETTERS = ['k', 'm', 'g', 't', 'p'] as const;
const HUMAN_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `plainUnit`: unit of a number without one; 'refuse' asks for a unit. `named`: the message follows the name of what was given. */
export interface SizeReading {
  readonly plainUnit?: 'GiB' | 'refuse';
  readonly named?: true;
}

/**
 * Bytes of a size as people write it: "64GiB", "64Gi", "1.5 TiB", "512m", "8589934592 bytes", "16" (GiB).
 *
 * Every unit is a power of 1024, with or without the i, whatever the case: so does `docker run --memory`
 * [docker/go-units RAMInBytes], and so does the array, whose GB are 2^30 bytes. The result is exact. Throws
 * InvalidRequestError for anything else: no number, zero, negative, part of a byte, more than 1 PiB.
 */
export function parseSize(raw: string, reading: SizeReading = {}): number {
  const refuse = (why: string): never => {
    const shown = `${reading.named === true ? '' : 'size '}${quote(raw, 40)}`;
    throw new InvalidRequestError(`${shown} ${why}; write it like 64GiB or 1.5TiB`);
  };
  const parts = /^(?<number>-?\d{1,24}(?:\.\d{1,24})?)\s?(?<unit>[a-z]*)$/i.exec(raw.trim())?.groups;
  if (parts === undefined) return refuse('is not a number with a unit');
  const { number = '', unit = '' } = parts;
  if (unit === '' && reading.plainUnit === 'refuse') return refuse('has no unit');
  const unitBytes = bytesOfUnit(unit.toLowerCase()) ?? refuse(`has the unknown unit ${quote(unit, 16)}`);
  const { scaled, divisor } = multiply(number, unitBytes);
  if (scaled <= 0n) return refuse('is not more than zero');
  if (scaled > MAX_BYTES * divisor) return refuse('is more than the largest possible, 1PiB');
  if (scaled % divisor !== 0n) return refuse('is not a whole number of bytes');
  return Number(scaled / divisor);
}

/** Exact and readable: "64 GiB", "1.5 TiB", "1025 KiB"; parseSize reads it back as the same size. */
export function formatSize(sizeKiB: number): string {
  for (let power = HUMAN_UNITS.length - 1; power > 0; power -= 1) {
    const value = sizeKiB / 1024 ** power;
    const unit = HUMAN_UNITS[power];
    if (unit !== undefined && value >= 1 && Number.isInteger(value * 8)) return `${value} ${unit}`;
  }
  return `${sizeKiB} KiB`;
}

/** Rounded to what matters: "3.2 GiB", "768 MiB"; for what is measured and changes. */
export function formatRoughSize(sizeKiB: number): string {
  let [power, value] = [0, sizeKiB];
  while (value >= 1024 && power < HUMAN_UNITS.length - 1) [power, value] = [power + 1, value / 1024];
  const digits = value >= 100 || power === 0 ? 0 : 1;
  return `${Number(value.toFixed(digits))} ${HUMAN_UNITS[power] ?? 'KiB'}`;
}

function multiply(number: string, unitBytes: bigint): { scaled: bigint; divisor: bigint } {
  const [whole = '', decimals = ''] = number.split('.');
  return { scaled: BigInt(whole + decimals) * unitBytes, divisor: 10n ** BigInt(decimals.length) };
}

function bytesOfUnit(unit: string): bigint | undefined {
  if (unit === '') return KIB_BYTES ** 3n;
  if (unit === 'b' || unit === 'byte' || unit === 'bytes') return 1n;
  const power = LETTERS.findIndex((letter) =>
    [letter, `${letter}b`, `${letter}ib`, `${letter}i`].includes(unit),
  );
  return power < 0 ? undefined : KIB_BYTES ** BigInt(power + 1);
}
