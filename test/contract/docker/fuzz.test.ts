import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listeningServer, type ListeningServer } from './started-server.ts';
import { socketClient, type Outcome, type RawCall } from './target.ts';

const BATCH = 50;
const WELL_FRAMED = 16_000;
const MUTATED = 4_000;
/** How long a connection may say nothing before the rest of a mutated request is taken for missing. */
const SILENCE_MS = 60;

const OPERATIONS = ['Create', 'Remove', 'Mount', 'Unmount', 'Path', 'Get', 'List', 'Capabilities'];
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...OPERATIONS, 'Nothing').map((name) => `/VolumeDriver.${name}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('/Plugin.Activate', '/', '*', '/%zz', '//', '/VolumeDriver.Get?x=1'),
  },
  { weight: 1, arbitrary: fc.webPath().map((text) => `/${text}`) },
);
const method = fc.oneof(
  { weight: 9, arbitrary: fc.constant('POST') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'SEARCH', 'QUERY'),
  },
);
const anyJson = fc.jsonValue({ maxDepth: 1 });
const name = fc.oneof(fc.constantFrom('db', 'web', 'a'.repeat(40)), fc.string({ unit: 'binary' }), anyJson);
const request = fc.record(
  {
    Name: name,
    ID: fc.oneof(fc.string(), anyJson),
    Opts: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.constant({ size: '8GiB' }), anyJson),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  { weight: 6, arbitrary: request.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc.tuple(request, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(value));
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  },
);
const headers = fc.dictionary(
  fc.constantFrom(
    'Content-Type',
    'Accept',
    'Host',
    'User-Agent',
    'Accept-Version',
    'Expect',
    'Cookie',
    'Upgrade',
  ),
  fc.constantFrom(
    '',
    'application/json',
    'text/plain; charset=x',
    ';;',
    '*/*',
    '1.x',
    'a=b',
    '100-continue',
    'websocket',
  ),
  { maxKeys: 3 },
);
const wellFramed: fc.Arbitrary<RawCall> = fc.record({ path, method, headers, body });

/** A whole request as bytes, with some of them changed, taken out or doubled, and a good one behind it. */
const mutated = fc
  .tuple(
    // Without HEAD, whose answers look cut off to whoever does not know the question.
    fc.record({ path, method: method.filter((verb) => verb !== 'HEAD'), body }),
    fc.array(fc.tuple(fc.constantFrom('change', 'take out', 'double'), fc.nat(), fc.nat(255)), {
      maxLength: 4,
    }),
  )
  .map(([call, mutations]) => {
    const head = `${call.method} ${call.path} HTTP/1.1\r\nHost: plugin\r\nContent-Length: ${call.body.length}\r\n\r\n`;
    let bytes: Buffer = Buffer.concat([Buffer.from(head), call.body]);
    for (const [kind, where, byte] of mutations)
      bytes = mutate(bytes, kind, where % (bytes.length || 1), byte);
    const good =
      'POST /Plugin.Activate HTTP/1.1\r\nHost: plugin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    return Buffer.concat([bytes, Buffer.from(good)]);
  });

function mutate(bytes: Buffer, kind: string, at: number, byte: number): Buffer {
  const before = bytes.subarray(0, at);
  if (kind === 'take out') return Buffer.concat([before, bytes.subarray(at + 1 + (byte % 16))]);
  if (kind === 'double') return Buffer.concat([before, bytes.subarray(at, at + 16), bytes.subarray(at)]);
  return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(at + 1)]);
}

describe(`${WELL_FRAMED + MUTATED} requests that make no sense`, () => {
  let server: ListeningServer;
  let client: ReturnType<typeof socketClient>;

  beforeAll(async () => {
    server = await listeningServer();
    client = socketClient(server.socketPath);
  });
  afterAll(async () => {
    client.end();
    await server.close();
  });

  /** The fake driver throws on what it must never be given, which the server logs as a bug. */
  const expectNoBug = () => {
    expect(server.log.filter((line) => line.level === 'error')).toEqual([]);
    server.log.length = 0;
    server.driver.calls.length = 0;
  };

  it(`each get 200, or 500 and a reason, or, only for Get, silence: ${WELL_FRAMED} over kept connections`, async () => {
    const batch = fc.array(wellFramed, { minLength: BATCH, maxLength: BATCH });
    await fc.assert(
      fc.asyncProperty(batch, async (calls) => {
        const outcomes = await Promise.all(calls.map((call) => client.request(call)));
        outcomes.forEach((outcome, index) => {
          expectSense(outcome, calls[index]);
        });
        expectNoBug();
      }),
      { numRuns: WELL_FRAMED / BATCH },
    );
  }, 120_000);

  it(`${MUTATED} of changed bytes get the same, or a broken connection`, async () => {
    const batch = fc.array(mutated, { minLength: BATCH, maxLength: BATCH });
    await fc.assert(
      fc.asyncProperty(batch, async (requests) => {
        const received = await Promise.all(requests.map((bytes) => talk(server.socketPath, bytes)));
        received.forEach(expectOnlySense);
        expectNoBug();
      }),
      { numRuns: MUTATED / BATCH },
    );
  }, 120_000);

  it('do no harm to the next one', async () => {
    // Some of them did make sense, or the rest would prove little.
    expect(server.driver.volumes.size).toBeGreaterThan(0);
    const outcome = await client.request({ path: '/VolumeDriver.Create', body: '{"Name":"afterwards"}' });
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 });
  });
});

function expectSense(outcome: Outcome, call: RawCall | undefined): void {
  if (outcome.kind === 'dropped') {
    expect(call).toMatchObject({
      method: 'POST',
      path: expect.stringMatching(/^\/VolumeDriver\.Get/) as unknown,
    });
    return;
  }
  expectAnswer(outcome.status, call?.method === 'HEAD' ? undefined : outcome.text);
}

function expectAnswer(status: number, text: string | undefined): void {
  expect([200, 500]).toContain(status);
  if (text === undefined) return;
  const answer = JSON.parse(text) as { Err?: unknown };
  if (status === 500) expect(answer.Err).toMatch(/^[^\n]+$/);
  else expect(answer.Err).toBeUndefined();
}

/** Everything a connection gives back for the bytes until it closes, breaks or falls silent. */
async function talk(socketPath: string, bytes: Buffer): Promise<string> {
  const socket: Socket = connect(socketPath);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  // One character a byte, because Content-Length counts bytes.
  return Buffer.concat(chunks).toString('latin1');
}

/** A mutated request can be several, so any number of answers will do; each must be whole and make sense. */
function expectOnlySense(received: string): void {
  let rest = received;
  while (rest !== '') {
    const answer =
      /^HTTP\/1\.1 (?<status>\d{3}) [^]*?\r\ncontent-length: (?<length>\d+)\r\n[^]*?\r\n\r\n/i.exec(rest);
    if (rest.startsWith('HTTP/1.1 100 Continue\r\n\r\n')) {
      rest = rest.slice('HTTP/1.1 100 Continue\r\n\r\n'.length);
      continue;
    }
    expect(answer, rest.slice(0, 200)).not.toBeNull();
    const start = answer?.[0].length ?? 0;
    const end = start + Number(answer?.groups?.['length']);
    expectAnswer(
      Number(answer?.groups?.['status']),
      Buffer.from(rest.slice(start, end), 'latin1').toString(),
    );
    rest = rest.slice(end);
  }
}
