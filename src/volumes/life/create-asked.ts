import type { NewVolumes } from '../options/classes.ts';
import { parseCreateOptions } from '../options/create-options.ts';
import { validateVolumeName } from '../naming.ts';
import { explained } from '../readiness.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { CreateVolume } from './create.ts';
import type { VolumeLookup } from './lookup.ts';
import type { VolumeLock } from './volume-lock.ts';

/** A volume as somebody asks for it, in the words of `-o`. */
export interface AskedVolume {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

/** `warn` is told, before anything is made, what of the options has no effect, or another one than elsewhere. */
export type CreateAsked = (
  asked: AskedVolume,
  warn: (name: VolumeName, warning: string) => void,
  signal: AbortSignal,
) => Promise<VolumeName>;

/** Creates volumes as they are asked for, whoever asks; see CreateVolume. Rejects with InvalidRequestError before anything is changed. */
export function creatingAsked(
  host: VolumeHost,
  lookup: VolumeLookup,
  { lock, newVolumes }: { readonly lock: VolumeLock; readonly newVolumes: NewVolumes },
): CreateAsked {
  const create = new CreateVolume(host, lookup);
  return async ({ name: rawName, options: rawOptions }, warn, signal) => {
    const name = validateVolumeName(rawName);
    const { options, warnings } = parseCreateOptions(name, rawOptions, newVolumes);
    for (const warning of warnings) warn(name, warning);
    await explained(host.readiness, () =>
      lock.run(name, 'create', signal, () => create.create(name, options, signal)),
    );
    return name;
  };
}
