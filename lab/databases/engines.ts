import path from 'node:path';
import type { Host } from '../hosts/host.ts';
import type { Holdings } from '../postgres/ledger.ts';
import type { Engine } from './engine.ts';
import { type Kind, PORTS } from './ports.ts';

/*
 * Databases beside PostgreSQL, of Debian's packages, each told to have a write on disk before it is acknowledged. What looks them over is
 * their own. Debian 12 has etcd 3.4, which brings no etcdutl: there etcd is read whole into a snapshot whose hash is compared.
 */

const DATA = '/data';
/** Of the image's user "database". */
const USER = 70;

interface Packaged extends Engine {
  /** Programs of the image, and other files. */
  readonly programs: readonly string[];
  readonly files?: readonly string[];
}

/** One key or row a transaction; nothing adds up. */
function holdingsOf(printed: string): Holdings {
  const keys = printed.split('\n').flatMap((line) => /^w (\d+ \d+)$/.exec(line.trim())?.[1] ?? []);
  return { transactions: new Set(keys), balance: 0 };
}

function common(name: Kind): Pick<Engine, 'name' | 'data' | 'user' | 'client' | 'holdingsOf'> {
  const client = [path.join(import.meta.dirname, 'client.ts'), name];
  return { name, data: DATA, user: USER, client, holdingsOf };
}

const shell = (script: string): readonly string[] => ['sh', '-c', script];

const REDIS_CLI = `redis-cli -p ${PORTS.redis}`;
const ETCDCTL = `etcdctl --endpoints=http://127.0.0.1:${PORTS.etcd}`;
const SOCKET = '/tmp/mariadb.sock';
const MARIADB_CLIENT = `--no-defaults --socket=${SOCKET} --user=root`;

export const ENGINES: Readonly<Record<Kind, Packaged>> = {
  redis: {
    ...common('redis'),
    start: `exec redis-server --dir ${DATA} --port ${PORTS.redis} --bind 0.0.0.0 --protected-mode no --appendonly yes --appendfsync always --save ''`,
    ready: shell(`[ "$(${REDIS_CLI} ping)" = PONG ]`),
    schema: undefined,
    holdings: shell(`${REDIS_CLI} --raw keys 'w *'`),
    // It looks at a file that nobody may be in the middle of writing to.
    check: shell(
      `${REDIS_CLI} client pause 5000 write >/dev/null; redis-check-aof ${DATA}/appendonlydir/*.manifest >/tmp/seen 2>&1 || cat /tmp/seen; ${REDIS_CLI} client unpause >/dev/null`,
    ),
    programs: ['redis-server', 'redis-cli', 'redis-check-aof'],
  },
  etcd: {
    ...common('etcd'),
    start: `exec etcd --data-dir ${DATA}/etcd --listen-client-urls http://0.0.0.0:${PORTS.etcd} --advertise-client-urls http://127.0.0.1:${PORTS.etcd} --listen-peer-urls http://127.0.0.1:2380 --snapshot-count 500`,
    ready: shell(`${ETCDCTL} endpoint health 2>/dev/null`),
    schema: undefined,
    holdings: shell(`${ETCDCTL} get 'w ' --prefix --keys-only`),
    check: shell(
      `rm -f /tmp/db; { ${ETCDCTL} snapshot save /tmp/db && etcdctl snapshot status /tmp/db; } >/tmp/seen 2>&1 || cat /tmp/seen`,
    ),
    programs: ['etcd', 'etcdctl'],
  },
  mariadb: {
    ...common('mariadb'),
    start: `set -e
if [ ! -d ${DATA}/mysql ]; then
  mariadb-install-db --no-defaults --datadir=${DATA} --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve >/tmp/made 2>&1 || { cat /tmp/made; exit 1; }
  sync # its own tables are Aria's, which nobody has written for good yet
fi
exec mariadbd --no-defaults --datadir=${DATA} --socket=${SOCKET} --port=${PORTS.mariadb} --bind-address=0.0.0.0 --skip-grant-tables --skip-name-resolve --innodb-flush-log-at-trx-commit=1 --log-bin=${DATA}/binlog --sync-binlog=1 --innodb-buffer-pool-size=16M --innodb-log-file-size=8M`,
    ready: shell(`mariadb ${MARIADB_CLIENT} -e 'SELECT 1'`),
    schema: shell(
      `mariadb ${MARIADB_CLIENT} -e 'CREATE DATABASE ledger; CREATE TABLE ledger.entry (client INT, n INT, PRIMARY KEY (client, n)) ENGINE=InnoDB'`,
    ),
    holdings: shell(
      `mariadb ${MARIADB_CLIENT} -N -B -e "SELECT CONCAT('w ', client, ' ', n) FROM ledger.entry"`,
    ),
    check: shell(`mariadb-check ${MARIADB_CLIENT} --silent --extended --databases ledger mysql 2>&1`),
    programs: [
      'mariadbd',
      'mariadb-install-db',
      'mariadb',
      'mariadb-check',
      'my_print_defaults',
      'resolveip',
    ],
    files: ['/usr/share/mysql'],
  },
};

/** Makes the image of an engine from Debian's packages on this host, since no image registry is in reach. */
export async function importEngine(host: Host, { name, programs, files = [] }: Packaged): Promise<void> {
  const script = path.join(import.meta.dirname, 'image.sh');
  const words = [script, ...programs, '--', ...files].join(' ');
  await host.exec([
    'bash',
    '-o',
    'pipefail',
    '-c',
    `${words} | docker import --change 'ENV PATH=/bin' - ${name}`,
  ]);
}
