import { NotLetIn } from './gate.ts';

/** Whose volumes somebody works on: one array, and the prefix of their names there. The same name means another volume anywhere else. */
export interface Realm {
  readonly systemId: string;
  readonly prefix: string;
}

/** Header in which a steward says what it works on; a door of anything else does nothing for it. */
export const REALM = 'x-volumes-of';

/** That header's value. */
export function realmHeader({ systemId, prefix }: Realm): string {
  return `${encodeURIComponent(systemId)};${encodeURIComponent(prefix)}`;
}

/** Throws NotLetIn, with 421, where who asks does not say that he means the volumes of `own`. */
export function assertSameRealm(own: Realm, header: string | string[] | undefined): void {
  if (header === realmHeader(own)) return;
  throw new NotLetIn(
    421,
    `works on the volumes of array ${own.systemId} with the prefix "${own.prefix}", and this steward on others: array (SCALEIO_ENDPOINT) and SCALEIO_PREFIX must be the same`,
  );
}
