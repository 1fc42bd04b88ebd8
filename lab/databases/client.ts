import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '../postgres/ledger.ts';
import { type Kind, PORTS } from './ports.ts';

/*
 * Writes one entry after the other into a database, and writes each one down twice, as a line of JSON on standard output: before it is sent,
 * and when the database has acknowledged it. Looks for the server at every address that it is given, until its standard input ends.
 * Usage: client.ts KIND ADDRESS...
 */
const [kind, ...addresses] = process.argv.slice(2) as [Kind, ...string[]];

const CLIENTS = 2;
const ANSWER_MS = 1500;
const RETRY_MS = 20;
const PAUSE_MS = 2;

/** One connection; it is over with the first write that is not acknowledged. */
interface Session {
  write(client: number, n: number): Promise<void>;
  end(): void;
}

/** Lines out, one line back for each. */
function spoken(input: Writable, output: Readable, end: () => void) {
  const lines: Interface = createInterface({ input: output });
  const said = lines[Symbol.asyncIterator]();
  input.on('error', end);
  return {
    ask: async (line: string): Promise<string> => {
      input.write(`${line}\n`);
      const { value } = await said.next();
      return String(value);
    },
    end,
  };
}

function expect(said: string, wanted: string): void {
  if (said.trim() !== wanted) throw new Error(`not acknowledged: ${said}`);
}

function openRedis(address: string): Session {
  const socket = connect({ host: address, port: PORTS.redis });
  const { ask, end } = spoken(socket, socket, () => socket.destroy());
  return {
    write: async (client, n) => {
      expect(await ask(`SET "w ${client} ${n}" 1\r`), '+OK');
    },
    end,
  };
}

function openEtcd(address: string): Session {
  const over = new AbortController();
  return {
    write: async (client, n) => {
      const key = Buffer.from(`w ${client} ${n}`).toString('base64');
      const url = `http://${address}:${PORTS.etcd}/v3/kv/put`;
      const body = JSON.stringify({ key, value: key });
      const answer = await fetch(url, { method: 'POST', body, signal: over.signal });
      if (!answer.ok || !(await answer.text()).includes('revision')) throw new Error('not acknowledged');
    },
    end: () => {
      over.abort();
    },
  };
}

function openMariadb(address: string): Session {
  const words = [
    '--no-defaults',
    `--host=${address}`,
    `--port=${PORTS.mariadb}`,
    '--user=root',
    '-n',
    '-N',
    '-B',
  ];
  const program = spawn('mariadb', [...words, '--connect-timeout=1', 'ledger'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const { ask, end } = spoken(program.stdin, program.stdout, () => program.kill('SIGKILL'));
  return {
    write: async (client, n) => {
      expect(await ask(`INSERT INTO entry VALUES (${client}, ${n}); SELECT ${n};`), String(n));
    },
    end,
  };
}

const open: Readonly<Record<Kind, (address: string) => Session>> = {
  redis: openRedis,
  etcd: openEtcd,
  mariadb: openMariadb,
};

function tell(entry: Entry): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

async function writeAcknowledged(session: Session, client: number, n: number): Promise<void> {
  const late = delay(ANSWER_MS, 'late' as const, { ref: false });
  if ((await Promise.race([session.write(client, n), late])) === 'late') throw new Error('no answer');
}

async function run(client: number): Promise<never> {
  let n = 0;
  for (let attempt = client; ; attempt += 1) {
    const address = addresses[attempt % addresses.length] ?? '';
    const session = open[kind](address);
    try {
      for (;;) {
        n += 1;
        tell({ client, n, is: 'sent', at: Date.now(), address });
        await writeAcknowledged(session, client, n);
        tell({ client, n, is: 'committed', at: Date.now(), address });
        await delay(PAUSE_MS);
      }
    } catch {
      // Whatever it was, the entry is not acknowledged; a server that never comes back is seen by who reads the ledger.
      session.end();
      await delay(RETRY_MS);
    }
  }
}

process.stdin.resume().on('end', () => process.exit(0));
await Promise.all(Array.from({ length: CLIENTS }, (_, client) => run(client)));
