import { asArrayName, type ArrayName, type VolumeId } from '../../array/ids.ts';
import { digitsOf } from '../naming.ts';

/*
 * What a removed volume is called, so that every host and the steward see the same from the array alone:
 *   ~rm.<prefix's mark><minutes>.<volume>.<name>    in the trash: 31 characters at most
 *   ~gone.<prefix's mark>.<volume id>               being erased: nobody brings it back any more
 * Six digits stand for the prefix, five for the time of the Remove (minutes since 1970 in base 36, until 2084), four for the volume, and
 * the name as far as it fits: ten characters, or five, '~' and four digits of its hash. The whole name stands in the label.
 */

const MARK_LENGTH = 6;
const MINUTES_LENGTH = 5;
const VOLUME_LENGTH = 4;
const NAME_LENGTH = 10;
const HASH_LENGTH = 4;
const HEAD_LENGTH = NAME_LENGTH - HASH_LENGTH - 1;
const MINUTE_MS = 60_000;

const TRASHED = /^~rm\.([a-z2-7]{6})/;
const READABLE = /^~rm\.[a-z2-7]{6}([0-9a-z]{5})\.[a-z2-7]{4}\.([^~]{1,10}|[^~]{5}~[a-z2-7]{4})$/;
const ERASING = /^~gone\.([a-z2-7]{6})\.([0-9a-f]{16})$/;

/** What the name in the trash tells of a volume. */
export interface TrashFacts {
  /** When it was removed, whole minutes, ms since 1970, by the clock of the host that did it; undefined: unreadable. */
  readonly removedAtMs: number | undefined;
  /** Its whole name, where that fits. */
  readonly name: string | undefined;
  /** What people are shown of it. */
  readonly shown: string;
}

/** The name under which a volume that was removed at this time (ms since 1970) stays in the trash. */
export function trashName(prefix: string, name: string, volumeId: VolumeId, removedAtMs: number): ArrayName {
  const minutes = Math.floor(removedAtMs / MINUTE_MS)
    .toString(36)
    .padStart(MINUTES_LENGTH, '0')
    .slice(-MINUTES_LENGTH);
  return asArrayName(`~rm.${markOf(prefix)}${minutes}.${digitsOf(volumeId, VOLUME_LENGTH)}.${nameIn(name)}`);
}

/** True for names of the trash, whosever they are, also such as cannot be read. */
export function isInTrash(arrayName: string): boolean {
  return TRASHED.test(arrayName);
}

/** What a name of the trash tells; undefined for all other names, and for those of another prefix. */
export function trashFacts(prefix: string, arrayName: string): TrashFacts | undefined {
  if (TRASHED.exec(arrayName)?.[1] !== markOf(prefix)) return undefined;
  const [, minutes, name] = READABLE.exec(arrayName) ?? [];
  if (minutes === undefined || name === undefined)
    return { removedAtMs: undefined, name: undefined, shown: arrayName };
  const [head = '', hash] = name.split('~');
  return {
    removedAtMs: Number.parseInt(minutes, 36) * MINUTE_MS,
    name: hash === undefined ? name : undefined,
    shown: hash === undefined ? name : `${head}…`,
  };
}

/** Whether a name of the trash may be that of a volume of this name: certain for short ones, one in a million not so for others. */
export function isTrashOf(prefix: string, name: string, arrayName: string): boolean {
  return (
    trashFacts(prefix, arrayName)?.removedAtMs !== undefined && READABLE.exec(arrayName)?.[2] === nameIn(name)
  );
}

/** The name under which a volume of the trash waits for its removal. */
export function goneName(prefix: string, volumeId: VolumeId): ArrayName {
  return asArrayName(`~gone.${markOf(prefix)}.${volumeId}`);
}

/** True for the names of volumes that are being erased, whosever they are. */
export function isBeingErased(arrayName: string): boolean {
  return ERASING.test(arrayName);
}

function nameIn(name: string): string {
  if (name.length <= NAME_LENGTH) return name;
  return `${name.slice(0, HEAD_LENGTH)}~${digitsOf(name, HASH_LENGTH)}`;
}

function markOf(prefix: string): string {
  return digitsOf(`trash\0${prefix}`, MARK_LENGTH);
}
