import { InvalidRequestError } from '../../errors.ts';
import type { ArrayCapabilities } from '../../array/system.ts';
import type { StoragePool } from '../../array/pool.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatSize } from '../../units/size.ts';
import type { FilesystemType, VolumeName } from '../volume.ts';
import type { CreateOptions } from './create-options.ts';
import { parseMountOptions } from './filesystem-options.ts';
import { faultOfGrowth } from './growth-options.ts';
import { inAnotherPool, roundedToGrain } from './option-words.ts';
import { BUILT_IN_DEFAULTS, type LabelledOptions, type OptionValues, valuesOf } from './option-table.ts';

/** What is to be copied, as the array has it. */
export interface CopySource {
  readonly volume: ArrayVolume;
  readonly capabilities: ArrayCapabilities;
  /** The pool that was asked for in so many words; undefined: none was. */
  readonly askedPool: StoragePool | undefined;
}

/**
 * The size of the copy, KiB, as the array makes it. Throws InvalidRequestError, before anything is changed, for what was asked for in so
 * many words and a copy cannot have: the array keeps it with its origin, thin, and nothing is formatted.
 */
export function sizeOfCopy(
  name: VolumeName,
  asked: CreateOptions,
  { volume, capabilities, askedPool }: CopySource,
): number {
  const { explicit, from = '', provisioning, mkfsOptions } = asked;
  const sizeKiB = explicit.has('sizeKiB') ? roundedToGrain(asked.sizeKiB, capabilities) : volume.sizeKiB;
  const facts = { volume, capabilities, askedPool, origin: undefined };
  const elsewhere = inAnotherPool(facts);
  const isWrong: readonly (readonly [boolean, string])[] = [
    [elsewhere !== undefined, `a copy is where its origin is, and ${elsewhere ?? ''}`],
    [explicit.has('provisioning') && provisioning !== 'thin', 'a copy is always thin'],
    [explicit.has('mkfsOptions') && mkfsOptions.length > 0, 'a copy is never formatted, so it takes no mkfs'],
    [
      sizeKiB < volume.sizeKiB,
      `a copy is never smaller than its origin, which has ${formatSize(volume.sizeKiB)}; ${formatSize(sizeKiB)} was asked for`,
    ],
  ];
  const faults = isWrong.flatMap(([isSo, words]) => (isSo ? [words] : []));
  if (faults.length > 0) throw refused(name, from, faults.join('; '));
  return sizeKiB;
}

/** What is seen on the copy once its device is here. */
export interface CopiedContent {
  readonly fs: FilesystemType;
  /** Its origin's; undefined: it has none. */
  readonly label: LabelledOptions | undefined;
  /** Of the copy, as the array has it. */
  readonly sizeKiB: number;
}

/**
 * The options of the copy: what was asked for in so many words, else how its class says that it is served, else its origin's, which are
 * nobody's defaults. Owner and mode of its root stay unless they were asked for, and it can be written unless it was not to be. Throws InvalidRequestError for what does not fit.
 */
export function optionsOfCopy(
  name: VolumeName,
  asked: CreateOptions,
  { fs, label, sizeKiB }: CopiedContent,
): OptionValues {
  const { explicit, ofClass, from = '' } = asked;
  if (explicit.has('fs') && asked.fs !== fs)
    throw refused(
      name,
      from,
      `its file system is ${fs}, ${asked.fs} was asked for, and a copy is never formatted`,
    );
  const has: Readonly<Record<string, unknown>> | undefined = label;
  const inherited = valuesOf((option, field) => {
    if (explicit.has(field) || (option.isService === true && ofClass.has(field))) return asked[field];
    return has?.[option.label?.field ?? ''] ?? BUILT_IN_DEFAULTS[field];
  });
  const options = {
    ...inherited,
    fs,
    sizeKiB: explicit.has('sizeKiB') ? asked.sizeKiB : sizeKiB,
    mountOptions: explicit.has('mountOptions') ? readMountOptions(name, asked, fs) : inherited.mountOptions,
    ...(asked.readOnly && !explicit.has('growAbovePercent') ? { growAbovePercent: 0 } : {}),
  };
  const growth = faultOfGrowth(options);
  if (growth !== undefined) throw refused(name, from, growth);
  return options;
}

/** They were read before it was known which file system they are for. */
function readMountOptions(name: VolumeName, asked: CreateOptions, fs: FilesystemType): readonly string[] {
  try {
    return parseMountOptions(fs, asked.mountOptions.join(','));
  } catch (cause) {
    if (!(cause instanceof InvalidRequestError)) throw cause;
    throw refused(name, asked.from ?? '', `mount ${cause.message}`);
  }
}

function refused(name: VolumeName, from: string, why: string): InvalidRequestError {
  return new InvalidRequestError(`creating volume "${name}" as a copy of "${from}" failed: ${why}`, {
    context: { volume: name },
  });
}
