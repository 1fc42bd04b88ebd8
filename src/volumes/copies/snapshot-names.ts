import { InvalidRequestError } from '../../errors.ts';
import { asArrayName, type ArrayName, type VolumeId } from '../../array/ids.ts';
import { quote } from '../../units/quote.ts';

/*
 * People call a snapshot VOLUME@NAME. On the array its name is ~<kind><expiry>.<part of the volume's id>@<NAME>, 31 characters at most:
 *   kind     f: the file system was frozen when it was taken. s: it was not, so its journal is replayed where it is looked into
 *   expiry   hours since 1970 in base 36, four digits; ---- for none
 *   part     the last six digits of the volume's id, so that an old volume's snapshots are not taken for those of a new one of its name
 * It begins with '~', so no plugin takes it for a volume, also none that knows no snapshots. What is a snapshot the array says, not the name.
 */

export const LONGEST_SNAPSHOT_NAME = 16;

const PART_LENGTH = 6;
const NO_EXPIRY = '----';
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+=:,%#-]*$/;
const SNAPSHOT = /^~([fs])([0-9a-z]{4}|----)\.([0-9a-f]{6})@([A-Za-z0-9][A-Za-z0-9_.+=:,%#-]{0,15})$/;
const HOUR_SECONDS = 3600;

/** What the array's name says of a snapshot. */
export interface SnapshotName {
  /** Whether its file system was frozen, so that it holds all that had been written. */
  readonly isFrozen: boolean;
  /** Seconds since 1970, whole hours; null: it stays until somebody removes it. */
  readonly expiresAtSeconds: number | null;
  readonly name: string;
}

/** A name that a snapshot can have; throws InvalidRequestError that says what is wrong. */
export function validateSnapshotName(raw: string): string {
  if (NAME.test(raw) && raw.length <= LONGEST_SNAPSHOT_NAME) return raw;
  const why = raw.length > LONGEST_SNAPSHOT_NAME ? `has ${raw.length} characters` : 'has others';
  throw new InvalidRequestError(
    `snapshot name ${quote(raw)} ${why}; use at most ${LONGEST_SNAPSHOT_NAME} letters, digits and _ . + = : , % # -, with a letter or digit first`,
  );
}

/** The array's name of a snapshot of that volume. An expiry within an hour counts as its end. */
export function snapshotArrayName(
  volumeId: VolumeId,
  { isFrozen, expiresAtSeconds, name }: SnapshotName,
): ArrayName {
  const hours =
    expiresAtSeconds === null
      ? NO_EXPIRY
      : Math.ceil(expiresAtSeconds / HOUR_SECONDS)
          .toString(36)
          .padStart(4, '0');
  return asArrayName(`~${isFrozen ? 'f' : 's'}${hours}.${partOf(volumeId)}@${name}`);
}

/** What an array name says, where it is that of a snapshot of the volume; undefined for all others. */
export function parseSnapshotName(volumeId: VolumeId, arrayName: string): SnapshotName | undefined {
  const read = readSnapshotName(arrayName);
  if (read?.isOf(volumeId) !== true) return undefined;
  const { isFrozen, expiresAtSeconds, name } = read;
  return { isFrozen, expiresAtSeconds, name };
}

/** What the array's name says of a snapshot, whosever volume's; undefined for all other names. */
export function readSnapshotName(
  arrayName: string,
): (SnapshotName & { readonly isOf: (volumeId: VolumeId) => boolean }) | undefined {
  const [, kind, hours = '', part, name] = SNAPSHOT.exec(arrayName) ?? [];
  if (name === undefined) return undefined;
  const expiresAtSeconds = hours === NO_EXPIRY ? null : Number.parseInt(hours, 36) * HOUR_SECONDS;
  return { isFrozen: kind === 'f', expiresAtSeconds, name, isOf: (volumeId) => partOf(volumeId) === part };
}

/** VOLUME@NAME taken apart; undefined where there is no '@', or nothing on one side of it. */
export function splitSnapshot(
  raw: string,
): { readonly volume: string; readonly snapshot: string } | undefined {
  const at = raw.lastIndexOf('@');
  if (at <= 0 || at === raw.length - 1) return undefined;
  return { volume: raw.slice(0, at), snapshot: raw.slice(at + 1) };
}

function partOf(volumeId: VolumeId): string {
  return volumeId.slice(-PART_LENGTH);
}
