import type * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { parseMkfsOptions, parseMountOptions } from './filesystem-options.ts';
import { nameOptions } from './option-names.ts';
import { optionValues, type OptionName } from './option-values.ts';
import type { Provisioning } from '../../array/volume.ts';
import type { FailoverPolicy, FilesystemType, VolumeName } from '../volume.ts';

/** What a volume is to be made like. */
export interface CreateOptions {
  /** As asked for, KiB; the array rounds up to 8 GiB. */
  readonly sizeKiB: number;
  /** Name or id; undefined: the plugin's default. */
  readonly pool: string | undefined;
  readonly domain: string | undefined;
  readonly provisioning: Provisioning;
  readonly fs: FilesystemType;
  /** Arguments for mkfs, checked against the allow-list. */
  readonly mkfsOptions: readonly string[];
  /** For mount -o, checked against the allow-list. */
  readonly mountOptions: readonly string[];
  /** Of the root directory; undefined: as mkfs makes it. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number | undefined;
  /** 0: no limit. */
  readonly iops: number;
  /** 0: no limit. */
  readonly bandwidthKiBps: number;
  readonly readOnly: boolean;
  /** Relative path inside the file system that containers see; '' is its root. */
  readonly subpath: string;
  readonly failover: FailoverPolicy | 'default';
  /** Which of these the user asked for, as against defaults. */
  readonly explicit: ReadonlySet<keyof CreateOptions>;
}

/** What the operator may choose for volumes whose user does not say. */
export type CreateDefaults = Pick<
  CreateOptions,
  'sizeKiB' | 'provisioning' | 'fs' | 'mkfsOptions' | 'mountOptions' | 'uid' | 'gid' | 'mode' | 'subpath'
>;

/** Where neither the user nor the operator says anything. */
export const BUILT_IN_DEFAULTS: CreateDefaults = {
  sizeKiB: 16 * 1024 * 1024,
  provisioning: 'thin',
  fs: 'xfs',
  mkfsOptions: [],
  mountOptions: [],
  uid: undefined,
  gid: undefined,
  mode: undefined,
  subpath: '',
};

const MOST_FAULTS = 3;

const FIELDS: Readonly<Record<OptionName, keyof CreateOptions>> = {
  size: 'sizeKiB',
  pool: 'pool',
  domain: 'domain',
  provisioning: 'provisioning',
  fs: 'fs',
  mkfs: 'mkfsOptions',
  mount: 'mountOptions',
  uid: 'uid',
  gid: 'gid',
  mode: 'mode',
  iops: 'iops',
  bandwidth: 'bandwidthKiBps',
  readonly: 'readOnly',
  subpath: 'subpath',
  failover: 'failover',
};

/**
 * Reads Docker's driver options; docs/options.md says what each may be. Throws InvalidRequestError that says all that is
 * wrong. `warnings` are for the log: what is accepted and has no effect, or another one than with REX-Ray.
 */
export function parseCreateOptions(
  name: VolumeName,
  raw: Readonly<Record<string, string>>,
  defaults: CreateDefaults,
): { readonly options: CreateOptions; readonly warnings: readonly string[] } {
  const named = nameOptions(raw);
  const faults = [...named.faults];
  const read = optionValues.safeParse(Object.fromEntries(named.values));
  if (!read.success) faults.push(...read.error.issues.map(({ message }) => message));
  const values = read.data ?? {};
  const fs = values.fs ?? defaults.fs;
  // The operator's defaults are for the operator's file system; another may not know them.
  const forFs = fs === defaults.fs ? defaults : BUILT_IN_DEFAULTS;
  const { mkfsOptions = forFs.mkfsOptions, mountOptions = forFs.mountOptions } = ownOptions(
    fs,
    values,
    faults,
  );
  if (faults.length > 0) throw asError(name, faults);
  const options: CreateOptions = {
    ...chosen(values, defaults),
    fs,
    mkfsOptions,
    mountOptions,
    explicit: new Set([...named.values.keys()].map((option) => FIELDS[option])),
  };
  return { options, warnings: named.warnings };
}

interface OwnOptions {
  readonly mkfsOptions?: readonly string[];
  readonly mountOptions?: readonly string[];
}

function ownOptions(fs: FilesystemType, { mkfs, mount }: Values, faults: string[]): OwnOptions {
  const mkfsOptions = mkfs === undefined ? undefined : attempt(faults, () => parseMkfsOptions(fs, mkfs));
  const mountOptions = mount === undefined ? undefined : attempt(faults, () => parseMountOptions(fs, mount));
  return { ...(mkfsOptions && { mkfsOptions }), ...(mountOptions && { mountOptions }) };
}

type Values = z.output<typeof optionValues>;
type Plain = Omit<CreateOptions, 'fs' | 'mkfsOptions' | 'mountOptions' | 'explicit'>;

function chosen(values: Values, defaults: CreateDefaults): Plain {
  return {
    sizeKiB: values.size ?? defaults.sizeKiB,
    pool: values.pool,
    domain: values.domain,
    provisioning: values.provisioning ?? defaults.provisioning,
    uid: values.uid ?? defaults.uid,
    gid: values.gid ?? defaults.gid,
    mode: values.mode ?? defaults.mode,
    iops: values.iops ?? 0,
    bandwidthKiBps: values.bandwidth ?? 0,
    readOnly: values.readonly ?? false,
    subpath: values.subpath ?? defaults.subpath,
    failover: values.failover ?? 'default',
  };
}

function attempt<T>(faults: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    faults.push(error.message);
    return undefined;
  }
}

function asError(name: VolumeName, faults: readonly string[]): InvalidRequestError {
  const rest = faults.length - MOST_FAULTS;
  const shown = faults.slice(0, MOST_FAULTS).join('; ') + (rest > 0 ? `; and ${rest} more faults` : '');
  return new InvalidRequestError(`creating volume ${quote(name)} failed: ${shown}`, {
    context: { volume: name },
  });
}
