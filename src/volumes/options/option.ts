import type * as z from 'zod';
import type { PoolId } from '../../array/ids.ts';
import type { StoragePool } from '../../array/pool.ts';
import type { SnapshotPolicy } from '../../array/copies.ts';
import type { ArrayCapabilities } from '../../array/system.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { FilesystemType } from '../volume.ts';

/** What the array tells of a volume that exists, to hold what is asked for against it. */
export interface ArrayFacts {
  readonly volume: ArrayVolume;
  readonly capabilities: ArrayCapabilities;
  /** The pool that was asked for in so many words, as the array knows it; undefined: none was. */
  readonly askedPool: StoragePool | undefined;
  /** The clause that says why the volume is no copy of what was asked for; undefined: it is one, or none was asked for. */
  readonly origin: string | undefined;
  /** The snapshot policy that was asked for in so many words, as the array knows it; undefined: none was. */
  readonly askedPolicy?: SnapshotPolicy | undefined;
}

/** What this host knows of a volume from the array; null and undefined: not known. */
export interface KnownFromArray {
  readonly known: {
    readonly sizeKiB: number | null;
    readonly poolId: PoolId | null;
    readonly readOnly: boolean;
  };
  readonly volume: ArrayVolume | undefined;
  readonly pool: StoragePool | undefined;
}

/** How something stands in Status, which is what `docker volume inspect` shows. */
export interface Shown<From> {
  readonly as: string;
  /** The object that several stand in together. */
  readonly within?: string;
  /** Null where this host does not know. */
  value(from: From): unknown;
  /** What else is said beside it. */
  notes?(from: From): Readonly<Record<string, string>>;
}

/** Another name of an operator's setting. */
export interface OtherSettingName {
  readonly env: string;
  /** The value as our setting writes it; throws InvalidRequestError. */
  readonly convert?: (raw: string) => string;
  /** Said at start when the name is used, because it does not mean quite the same. */
  readonly warning?: string;
}

/** What an operator chooses for the volumes of a host. */
export interface OperatorSetting {
  /** In the settings file. */
  readonly key: string;
  /** Environment variable. */
  readonly env: string;
  readonly description: string;
  /** Where it is read otherwise than the option. */
  readonly read?: (raw: string) => unknown;
  /** As one would write it, where it is another one than the option's. */
  readonly standard?: string;
  /** The settings file may hold it as a number. */
  readonly takesNumber?: true;
  /** REX-Ray's names; of two the first that is set counts, as there. [rexray scaleio] */
  readonly rexray?: readonly OtherSettingName[];
  /** Not what a volume gets that asks for nothing, but what such a volume follows, whatever host has it. */
  readonly isFollowed?: true;
}

/** Undefined where neither the label says it nor the option has a standard. */
type Kept<Standard, Form> = NonNullable<z.output<Form>> | (Standard extends string ? never : undefined);

/** What of an option stands in the label that travels with the volume. */
export interface KeptInLabel<T, Standard, Field extends string, Form extends z.ZodType> {
  readonly field: Field;
  /**
   * How it is written. Rule 19: labels of before an option lack it, so all but those of 0.1.0 are optional; a volume without one
   * has what a volume gets that asks for nothing.
   */
  readonly form: Form;
  /** The clause that says in what a volume differs from what was asked for; called where it does. */
  differs?(has: Kept<Standard, Form>, asked: T): string;
  readonly shown?: Shown<Kept<Standard, Form>>;
}

/** What of an option the array itself knows. */
export interface KeptOnArray<T> {
  /** The clause that says in what a volume differs from what was asked for; undefined where it does not. */
  differs?(facts: ArrayFacts, asked: T): string | undefined;
  readonly shown?: Shown<KnownFromArray>;
}

/** One option of a volume: everything that is said about it stands in its entry of the table. */
export interface VolumeOption<
  T,
  Standard extends string | undefined,
  Setting extends OperatorSetting | undefined,
  Field extends string,
  Form extends z.ZodType,
> {
  /** As people write it, in any case. */
  readonly name: string;
  /** Names in files written for REX-Ray. */
  readonly rexray?: readonly string[];
  /** Names of other drivers: dvdcli, csi-powerflex. */
  readonly aliases?: readonly string[];
  /** What the text means. Throws InvalidRequestError whose message follows the name of what was given. */
  read(raw: string, fs: FilesystemType): T;
  /** What holds where neither user nor operator says anything, as one would write it. */
  readonly standard: Standard;
  /** What it means depends on the file system, so what an operator chose for one is not for another. */
  readonly isForFilesystem?: true;
  /** Says how a volume is served and nothing about what is in it, so that a copy takes it of a class that it is made with. */
  readonly isService?: true;
  readonly setting?: Setting;
  readonly array?: KeptOnArray<T>;
  readonly label?: KeptInLabel<T, Standard, Field, Form>;
  /** What the making of the file system leaves in it, and nothing else remembers. */
  readonly made?: 'file system' | 'root directory';
  /** Its line in docs/options.md; `standard` for what no text of its own says. */
  readonly docs: { readonly meaning: string; readonly standard?: string };
}

/** Any entry, for those who go through the whole table. */
export type AnyOption = VolumeOption<
  unknown,
  string | undefined,
  OperatorSetting | undefined,
  string,
  z.ZodType
>;

/** An entry with the types of what it says. */
export function option<
  T,
  const Standard extends string | undefined = undefined,
  const Setting extends OperatorSetting | undefined = undefined,
  const Field extends string = never,
  Form extends z.ZodType = z.ZodNever,
>(entry: VolumeOption<T, Standard, Setting, Field, Form>): VolumeOption<T, Standard, Setting, Field, Form> {
  return entry;
}
