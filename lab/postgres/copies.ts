import type { Host } from '../hosts/host.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { AMCHECK, DATA, type Database, HOLDINGS, holdingsOf } from './database.ts';
import { POSTGRES_IMAGE, POSTGRES_USER } from './image.ts';

/** As docs/failover.md, "By hand", has it for the managed plugin. */
const INSTALL_COMMAND = `id=$(docker plugin inspect --format '{{.ID}}' scaleio)
install -m 755 "/var/lib/docker/plugins/$id/rootfs/usr/lib/docker-volume-scaleio/host-command" /usr/local/sbin/docker-volume-scaleio`;

const CHECKED = 'checked:';
/** Lets the server recover as after a power cut, then looks at everything. */
const LOOK = `set -e
export PGDATA=${DATA}
postgres -c listen_addresses= -c hba_file=/etc/pg_hba.conf -c shared_buffers=16MB >/tmp/log 2>&1 &
server=$!
until pg_isready --quiet --username=postgres; do kill -0 $server || { cat /tmp/log >&2; exit 1; }; sleep 0.1; done
psql --username=postgres --no-align --tuples-only --quiet -c "${HOLDINGS}"
echo ${CHECKED}
${AMCHECK.join(' ')} || true
kill -INT $server
wait $server`;

/** What became of one copy of a database in use. */
export interface CheckedCopy {
  /** As the command said it. */
  readonly consistency: string;
  readonly faults: readonly string[];
}

/** Puts the command on a host, for takeAndCheck. */
export async function installCommand(host: Host): Promise<void> {
  await host.exec(['sh', '-c', INSTALL_COMMAND]);
}

/**
 * Takes a snapshot of a database that is being written to, makes a volume of it, and starts a server on that: nothing may be missing that was
 * acknowledged before, and nothing damaged. By the host that has the volume it is frozen, by another one crash-consistent. Leaves nothing.
 */
export async function takeAndCheck(
  database: Database,
  { by, on, name }: { readonly by: Host; readonly on: Host; readonly name: string },
): Promise<CheckedCopy> {
  const command = (...words: readonly string[]): Promise<string> =>
    by.exec(['/usr/local/sbin/docker-volume-scaleio', 'volume', ...words]);
  const expected = database.ledger.committed;
  const said = await command('snapshot', database.name, '--name', name, '--json');
  const [taken] = JSON.parse(said) as { consistency: string }[];
  await on.docker(['volume', 'create', '--driver', DRIVER, '-o', `from=${database.name}@${name}`, name]);
  const container = [
    '--rm',
    '--network',
    'none',
    '--user',
    `${POSTGRES_USER}`,
    '--volume',
    `${name}:${DATA}`,
  ];
  const shown = await on.docker(['run', ...container, POSTGRES_IMAGE, 'sh', '-c', LOOK]);
  const [rows = '', checked = ''] = shown.split(CHECKED);
  await on.docker(['volume', 'rm', name]);
  await command('rm-snapshot', `${database.name}@${name}`);
  return {
    consistency: taken?.consistency ?? 'not said',
    faults: [
      ...database.ledger.faults(holdingsOf(rows.trim()), expected),
      ...checked.split('\n').filter((line) => line !== ''),
    ],
  };
}
