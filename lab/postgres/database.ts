import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ResultPromise } from 'execa';
import type { Host } from '../hosts/host.ts';
import type { Lab } from '../hosts/lab.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { until } from '../hosts/until.ts';
import type { Engine } from '../databases/engine.ts';
import { POSTGRES_IMAGE, POSTGRES_USER } from './image.ts';
import { ACCOUNTS, type Entry, type Holdings, Ledger } from './ledger.ts';

export const DATA = '/var/lib/postgresql/data';
const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');

const SETTINGS = [
  ...[
    'listen_addresses=*',
    'hba_file=/etc/pg_hba.conf',
    'shared_buffers=16MB',
    'max_connections=20',
    'log_checkpoints=on',
  ],
  // Checkpoints every few seconds, so that hosts die at all stages of one.
  ...['min_wal_size=2MB', 'max_wal_size=8MB', 'checkpoint_timeout=30s'],
];

const START = `set -e
export PGDATA=${DATA}
if [ ! -s $PGDATA/PG_VERSION ]; then
  initdb --locale=C --encoding=UTF8 --data-checksums --wal-segsize=1 --auth=trust --no-instructions
fi
exec postgres ${SETTINGS.map((one) => `-c ${one}`).join(' ')}`;

/** For Swarm to notice, the takeover and the recovery of the database, on a busy machine. */
const PATIENCE_MS = 120_000;

const SCHEMA = `CREATE TABLE ledger (client int, n int, PRIMARY KEY (client, n));
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
CREATE INDEX ON account (balance);
INSERT INTO account SELECT id, 0 FROM generate_series(0, ${ACCOUNTS - 1}) AS id;
CREATE EXTENSION amcheck`;

/** All that the database holds of the ledger: one statement, one snapshot, for clients go on meanwhile. */
export const HOLDINGS = `SELECT sum(balance)::text FROM account UNION ALL SELECT client || ' ' || n FROM ledger`;

/** Prints nothing about a database whose tables and indexes are whole. */
export const AMCHECK = [
  ...['pg_amcheck', '--username=postgres', '--database=postgres', '--heapallindexed', '--parent-check'],
];

/** From what psql prints for HOLDINGS. */
export function holdingsOf(rows: string): Holdings {
  const lines = rows.split('\n');
  return {
    transactions: new Set(lines.filter((line) => line.includes(' '))),
    balance: Number(lines.find((line) => !line.includes(' '))),
  };
}

const PSQL = ['psql', '--username=postgres', '--no-align', '--tuples-only', '--quiet', '-c'];

const postgres: Engine = {
  name: POSTGRES_IMAGE,
  data: DATA,
  user: POSTGRES_USER,
  start: START,
  ready: [...PSQL, 'SELECT 1'],
  schema: [...PSQL, SCHEMA],
  client: [path.join(import.meta.dirname, 'client.ts'), '4'],
  holdings: [...PSQL, HOLDINGS],
  holdingsOf,
  check: AMCHECK,
};

export type FileSystem = 'xfs' | 'ext4';

export interface DatabaseOptions {
  readonly fileSystem: FileSystem;
  /** Swarm's pause before it starts a task anew, as Docker writes durations. Swarm's own default is 5s. */
  readonly restartDelay: string;
  /** PostgreSQL when absent. */
  readonly engine?: Engine;
}

/** What a database needs to run: a lab with a Swarm, whose workers have its image and the plugin. */
export interface Site {
  readonly lab: Lab;
  /** The manager, where the clients run; it is never powered off. */
  readonly manager: Host;
  /** Where the database may run. */
  readonly workers: readonly Host[];
}

/** A database as a Swarm service of one replica, with its data on a volume and clients that never stop writing. */
export class Database {
  readonly name: string;
  readonly ledger = new Ledger();
  readonly #site: Site;
  readonly #engine: Engine;
  #clients: ResultPromise | undefined;
  #clientsFail: Promise<never> = new Promise(() => undefined);

  private constructor(site: Site, { engine = postgres, fileSystem }: DatabaseOptions) {
    this.#site = site;
    this.#engine = engine;
    this.name = `${engine === postgres ? 'db' : engine.name}-${fileSystem}`;
  }

  /** Returns when the database has its tables and the clients' first transaction is committed. */
  static async start(site: Site, options: DatabaseOptions): Promise<Database> {
    const database = new Database(site, options);
    await database.#createService(options);
    await database.#untilItAnswers();
    const { schema } = database.#engine;
    if (schema !== undefined) await database.#inside(schema);
    const first = database.ledger.next(() => true);
    database.#startClients();
    await database.#untilClients('the first transaction', first);
    return database;
  }

  /** The worker that runs the database now, as the workers' own engines say. */
  async host(): Promise<Host> {
    for (const host of this.#site.workers)
      if (host.isOn && (await this.#containerOn(host)) !== '') return host;
    throw new Error(`no host runs ${this.name}`);
  }

  /** Everything that is wrong with the database: lost or invented transactions, halves of them, damaged pages. */
  async faults(): Promise<string[]> {
    const expected = this.ledger.committed;
    const { check, holdingsOf: read, name, holdings: ask } = this.#engine;
    const holdings = read(await this.#inside(ask));
    const checked = await this.#inside(check).then(
      (said) => said.split('\n').filter((line) => line !== ''),
      (error: unknown) => [`the check of ${name}: ${String(error)}`],
    );
    return [...this.ledger.faults(holdings, expected), ...checked];
  }

  /** The first transaction from now on that a server at one of these addresses acknowledges. */
  async commitAt(addresses: readonly string[], what: string): Promise<Entry> {
    return this.#untilClients(
      what,
      this.ledger.next(({ address }) => addresses.includes(address)),
    );
  }

  /** Ends clients and service; the volume goes too. */
  async remove(): Promise<void> {
    await this.#stopClients();
    const { manager, workers } = this.#site;
    await manager.docker(['service', 'rm', this.name]);
    for (const host of workers) {
      await until(
        `${this.name} to end on ${host.name}`,
        async () => (await this.#containerOn(host, true)) === '',
      );
    }
    await workers[0]?.docker(['volume', 'rm', this.name]);
  }

  async #untilItAnswers(): Promise<void> {
    const { manager } = this.#site;
    try {
      await until('the database to answer', () => this.#inside(this.#engine.ready), { timeoutMs: 90_000 });
    } catch (cause) {
      const tasks = await this.#tasks();
      const logs = await manager.docker(['service', 'logs', this.name]);
      throw new Error(`${this.name} does not answer:\n${tasks}\n${logs}`, { cause });
    }
  }

  async #createService({ fileSystem, restartDelay }: DatabaseOptions): Promise<void> {
    const { name: image, data, user, start } = this.#engine;
    const options = [...['size=8GiB', `fs=${fileSystem}`, `uid=${user}`, `gid=${user}`, 'mode=0700']].map(
      (option) => `volume-opt=${option}`,
    );
    const mount = ['type=volume', `source=${this.name}`, `target=${data}`, `volume-driver=${DRIVER}`];
    await this.#site.manager.docker([
      ...['service', 'create', '--detach', '--no-resolve-image', '--name', this.name, '--replicas', '1'],
      ...[
        '--constraint',
        'node.role==worker',
        '--restart-delay',
        restartDelay,
        '--network',
        'host',
        '--user',
        `${user}`,
      ],
      ...['--mount', [...mount, ...options].join(','), '--stop-grace-period', '5s'],
      ...[image, 'sh', '-c', start],
    ]);
  }

  #startClients(): void {
    const { manager, workers } = this.#site;
    const addresses = workers.map((host) => host.address('cluster'));
    const clients = manager.spawn([node, ...this.#engine.client, ...addresses], { buffer: false });
    this.#clients = clients;
    this.#clientsFail = clients.then(
      () => new Promise<never>(() => undefined),
      (error: unknown) => {
        throw new Error(`the clients ended: ${String((error as { stderr?: unknown }).stderr)}`);
      },
    );
    this.#clientsFail.catch(() => undefined); // whoever waits for a transaction sees it
    createInterface({ input: clients.stdout }).on('line', (line) => {
      this.ledger.record(JSON.parse(line) as Entry);
    });
  }

  async #stopClients(): Promise<void> {
    const clients = this.#clients;
    clients?.stdin.end();
    await clients;
  }

  async #untilClients(what: string, entry: Promise<Entry>): Promise<Entry> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([entry, tooLate, this.#clientsFail]);
    } catch (cause) {
      throw new Error(`${String(cause)}; Swarm's tasks:\n${await this.#tasks()}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** With the errors of those that failed. */
  async #tasks(): Promise<string> {
    return this.#site.manager.docker(['service', 'ps', '--no-trunc', this.name]);
  }

  async #containerOn(host: Host, all = false): Promise<string> {
    const filter = ['--filter', `label=com.docker.swarm.service.name=${this.name}`];
    return host.docker(['ps', '--quiet', ...filter, ...(all ? ['--all'] : [])]);
  }

  async #inside(argv: readonly string[]): Promise<string> {
    const host = await this.host();
    return host.docker(['exec', (await this.#containerOn(host)).split('\n')[0] ?? '', ...argv]);
  }
}
