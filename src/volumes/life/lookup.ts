import { CancelledError, GatewayUnavailableError } from '../../errors.ts';
import { AbsentNames } from './absent-names.ts';
import { CallBatcher } from './call-batcher.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeLabel } from '../options/label.ts';
import { arrayNameFor } from '../naming.ts';
import { asArrayName, type ArrayName } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { KnownVolume } from '../ports.ts';
import type { VolumeName } from '../volume.ts';

type Answer = { readonly volume: ArrayVolume | undefined };

/** How long a gathered look-up may take, ms: a little less than its callers wait, so that they hear what is wrong. */
const GATHERED_LOOKUP_MS = 8500;

/**
 * Finds volumes by their names. An id that this host has seen for the name saves the search, and is believed only
 * if the volume behind it still bears exactly that name (rule 10).
 */
export class VolumeLookup {
  readonly #host: VolumeHost;
  readonly #batcher: CallBatcher<VolumeName, Answer>;
  readonly #absent: AbsentNames;

  constructor(host: VolumeHost) {
    this.#host = host;
    this.#absent = new AbsentNames(host.clock);
    const isUnknown = (name: VolumeName): boolean => host.journal.known(name) === undefined;
    this.#batcher = new CallBatcher((names) => this.#many(names), host, isUnknown);
  }

  /** The volume as it is now: one gateway call when known here, two when not. Undefined when there is none. */
  async find(name: VolumeName, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    const { array, journal, policy } = this.#host;
    const arrayName = arrayNameFor(policy.prefix, name);
    const known = journal.known(name);
    if (known !== undefined) {
      const volume = await array.getVolume(known.volumeId, signal);
      if (volume?.name === arrayName) return volume;
    }
    const volume = await findByName(array, arrayName, signal);
    if (volume === undefined) journal.forget(name);
    return volume;
  }

  /** As find, but look-ups that arrive together share their gateway calls. For Get, which no change depends on. */
  async findTogether(name: VolumeName, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    const beganMs = this.#host.clock.elapsed();
    const answer = await Promise.race([this.#batcher.ask(name), rejectAt(signal, name)]);
    if (answer.volume === undefined) this.#absent.note(name, beganMs);
    return answer.volume;
  }

  /**
   * As find, for a Create that ends with a rename: the array refuses that one if the name is taken by then, so what a Get saw a moment
   * ago is good enough, and the call is saved.
   */
  async findToCreate(name: VolumeName, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    return this.#absent.take(name) ? undefined : this.find(name, signal);
  }

  /** The volume was made here. */
  made(volume: KnownVolume): void {
    this.#absent.forget(volume.name);
    this.#host.journal.remember(volume);
  }

  /** Keeps what this host now knows of a volume, for later calls and for when no gateway answers. */
  remember(name: VolumeName, volume: ArrayVolume, label?: VolumeLabel): KnownVolume {
    this.#absent.forget(name);
    const before = this.#host.journal.known(name);
    const known: KnownVolume = {
      name,
      arrayName: asArrayName(volume.name ?? ''),
      volumeId: volume.id,
      sizeKiB: volume.sizeKiB,
      createdAtSeconds: volume.createdAtSeconds,
      poolId: volume.poolId,
      readOnly: volume.accessModeLimit === 'ReadOnly',
      label: label ?? (before?.volumeId === volume.id ? before.label : undefined),
    };
    this.#host.journal.remember(known);
    return known;
  }

  async #many(names: readonly VolumeName[]): Promise<ReadonlyMap<VolumeName, Answer>> {
    const signal = AbortSignal.timeout(GATHERED_LOOKUP_MS);
    const [only] = names;
    if (only !== undefined && names.length === 1) {
      return new Map([[only, { volume: await this.find(only, signal) }]]);
    }
    const { journal } = this.#host;
    const allKnown = names.every((name) => journal.known(name) !== undefined);
    return allKnown ? this.#byIds(names, signal) : this.#byList(names, signal);
  }

  async #byIds(names: readonly VolumeName[], signal: AbortSignal): Promise<ReadonlyMap<VolumeName, Answer>> {
    const { array, journal, policy } = this.#host;
    const ids = names.flatMap((name) => journal.known(name)?.volumeId ?? []);
    const found = new Map((await array.getVolumes(ids, signal)).map((volume) => [volume.name, volume]));
    const answers = new Map<VolumeName, Answer>();
    for (const name of names) {
      const volume = found.get(arrayNameFor(policy.prefix, name));
      // Gone or renamed by its id; only its name can tell whether another took its place.
      answers.set(name, { volume: volume ?? (await this.find(name, signal)) });
    }
    return answers;
  }

  async #byList(names: readonly VolumeName[], signal: AbortSignal): Promise<ReadonlyMap<VolumeName, Answer>> {
    const { array, policy } = this.#host;
    const wanted = new Map<string, VolumeName>(
      names.map((name) => [arrayNameFor(policy.prefix, name), name]),
    );
    const answers = new Map<VolumeName, Answer>(names.map((name) => [name, { volume: undefined }]));
    for (const volume of await array.listVolumes((name) => wanted.has(name), signal)) {
      const name = wanted.get(volume.name ?? '');
      if (name !== undefined) answers.set(name, { volume });
    }
    return answers;
  }
}

/** A rename or removal may come between the two questions; who asks again has it behind him. */
const LOOKS_BY_NAME = 2;

/**
 * The volume that bears exactly this name, read back by the id that the array gave for it (rule 15); undefined only when the
 * array says that there is none. Two gateway calls, four when the answers disagree; rejects with GatewayUnavailableError when they
 * still do.
 */
export async function findByName(
  array: Pick<StorageArray, 'findVolumeId' | 'getVolume'>,
  arrayName: ArrayName,
  signal: AbortSignal,
): Promise<ArrayVolume | undefined> {
  let answered = '';
  for (let look = 0; look < LOOKS_BY_NAME; look += 1) {
    const id = await array.findVolumeId(arrayName, signal);
    if (id === undefined) return undefined;
    const volume = await array.getVolume(id, signal);
    if (volume?.id === id && volume.name === arrayName) return volume;
    answered =
      volume === undefined
        ? `"${id}", which does not exist`
        : `"${id}", which bears the name "${volume.name ?? ''}"`;
  }
  throw new GatewayUnavailableError(
    `cannot tell whether there is a volume "${arrayName}": asked for it the array answers ${answered}; try again, and check the gateway if it stays so`,
    { context: { arrayName } },
  );
}

function rejectAt(signal: AbortSignal, name: VolumeName): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancel = (): void => {
      reject(new CancelledError(`looking up volume "${name}" took longer than its caller waits: try again`));
    };
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
