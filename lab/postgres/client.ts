import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ACCOUNTS, type Entry, PORT } from './ledger.ts';

/*
 * Commits transactions one after the other, and writes down each one twice, as a line of JSON on standard
 * output: before it is sent, and when the database has acknowledged it. Looks for the database at every address that
 * it is given, until its standard input ends. Usage: client.ts CLIENTS ADDRESS...
 */
const [clients = '1', ...addresses] = process.argv.slice(2);

const CONNECT_MS = 250;
const QUERY_MS = 1500;
const RETRY_MS = 20;
/** Between two transactions of a client, so that the machine has time for its hosts. */
const PAUSE_MS = 2;

/** Server says: shutting down, crashed, starting up. Everything else that has a code is our mistake. */
const COMING_AND_GOING = ['57P01', '57P02', '57P03'];

interface Session {
  readonly client: pg.Client;
  readonly socket: Socket;
}

function write(entry: Entry): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

async function connect(address: string): Promise<Session> {
  const socket = new Socket();
  const client = new pg.Client({
    host: address,
    port: PORT,
    user: 'postgres',
    database: 'postgres',
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
  });
  client.on('error', () => undefined); // the query that is under way hears of it too
  try {
    await client.connect();
    return { client, socket };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** One money transfer between two accounts, and its line in the ledger: all of it or nothing. */
function transfer(client: number, n: number): string {
  const [a, b] = [(n * 7919 + client) % ACCOUNTS, (n * 104_729 + client * 31) % ACCOUNTS];
  const [first, second] = a < b ? [a, b] : [b, a]; // one order of locks for everybody
  return `BEGIN;
    INSERT INTO ledger (client, n) VALUES (${client}, ${n});
    UPDATE account SET balance = balance - ${n} WHERE id = ${first};
    UPDATE account SET balance = balance + ${n} WHERE id = ${second};
    COMMIT`;
}

function failIfUnexpected(error: unknown): void {
  const { code } = error as { code?: unknown };
  const isServersWord = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (isServersWord && !COMING_AND_GOING.includes(code)) throw error;
}

async function run(client: number): Promise<never> {
  let n = 0;
  for (let attempt = client; ; attempt += 1) {
    const address = addresses[attempt % addresses.length] ?? '';
    let session: Session | undefined;
    try {
      session = await connect(address);
      for (;;) {
        n += 1;
        write({ client, n, is: 'sent', at: Date.now(), address });
        await session.client.query(transfer(client, n));
        write({ client, n, is: 'committed', at: Date.now(), address });
        await delay(PAUSE_MS);
      }
    } catch (error) {
      failIfUnexpected(error);
      session?.socket.destroy();
      await delay(RETRY_MS);
    }
  }
}

process.stdin.resume().on('end', () => process.exit(0));
await Promise.all(Array.from({ length: Number(clients) }, (_, client) => run(client)));
