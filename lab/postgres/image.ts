import path from 'node:path';
import type { Host } from '../hosts/host.ts';

/** Name of the image that importPostgres makes. */
export const POSTGRES_IMAGE = 'postgres';

/** The user that the server runs as in the image. */
export const POSTGRES_USER = 70;

/** Makes a PostgreSQL image from Debian's package on this host, since no image registry is in reach. */
export async function importPostgres(host: Host): Promise<void> {
  const files = path.join(import.meta.dirname, 'image.sh');
  const script = `${files} | docker import --change 'ENV PATH=/bin' - ${POSTGRES_IMAGE}`;
  await host.exec(['bash', '-o', 'pipefail', '-c', script]);
}
