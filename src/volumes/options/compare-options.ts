import type { ArrayVolume } from '../../array/volume.ts';
import { formatSize } from '../../units/size.ts';
import type { VolumeLabel } from '../label.ts';
import type { CreateOptions } from './create-options.ts';

/**
 * What a volume has otherwise than the caller asked for in so many words, each as a clause for people; defaults differ from nothing.
 * `askedKiB`: the size as the array makes it. Without a label only what the array tells is compared.
 */
export function compareOptions(
  { volume, label }: { readonly volume: ArrayVolume; readonly label: VolumeLabel | undefined },
  options: CreateOptions,
  askedKiB: number,
): string[] {
  const { explicit } = options;
  const differences: string[] = [];
  const differ = <T>(key: keyof CreateOptions, pair: readonly [has: T, asked: T], say: Words<T>): void => {
    const [has, asked] = pair;
    if (explicit.has(key) && String(has) !== String(asked)) differences.push(say(has, asked));
  };
  differ(
    'sizeKiB',
    [volume.sizeKiB, askedKiB],
    (has, asked) => `it has ${formatSize(has)}, ${formatSize(asked)} was asked for`,
  );
  if (volume.kind !== 'snapshot')
    differ(
      'provisioning',
      [volume.kind, options.provisioning],
      (has, asked) => `it is ${has}, ${asked} was asked for`,
    );
  differ('readOnly', [volume.accessModeLimit === 'ReadOnly', options.readOnly], (has) =>
    has
      ? 'it is limited to reading, and was asked for to be written'
      : 'it can be written, and was asked for to be read only',
  );
  if (label === undefined) return differences;
  differ('fs', [label.fs, options.fs], (has, asked) => `its file system is ${has}, ${asked} was asked for`);
  differ(
    'mountOptions',
    [label.mountOptions.join(','), options.mountOptions.join(',')],
    named('its mount options are', 'none'),
  );
  differ('subpath', [label.subpath, options.subpath], named('its subpath is', 'none'));
  differ(
    'iops',
    [label.iops, options.iops],
    limited((iops) => `${iops} I/O operations per second`),
  );
  differ(
    'bandwidthKiBps',
    [label.bandwidthKiBps, options.bandwidthKiBps],
    limited((kib) => `${formatSize(kib)} per second`),
  );
  differ('failover', [label.failover, options.failover], named('its failover is', 'default'));
  return differences;
}

type Words<T> = (has: T, asked: T) => string;

function named(begin: string, empty: string): Words<string> {
  const shown = (value: string): string => (value === '' ? empty : `"${value}"`);
  return (has, asked) => `${begin} ${shown(has)}, ${shown(asked)} was asked for`;
}

function limited(words: (limit: number) => string): Words<number> {
  const shown = (limit: number): string => (limit === 0 ? 'no limit' : words(limit));
  return (has, asked) => `its limit is ${shown(has)}, ${shown(asked)} was asked for`;
}
