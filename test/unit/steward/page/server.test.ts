import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { servePage, type PageOptions } from '../../../../src/steward/page/serve-page.ts';
import type { Overview } from '../../../../src/steward/page/page-data.ts';
import { systemClock } from '../../../../src/host/clock.ts';
import { freePort } from '../../../../lab/prometheus/free-port.ts';
import { newSecret } from '../../../../lab/secrets/used.ts';
import { RUNBOOK } from '../../../../src/steward/page/runbook.ts';
import { FakeFamilies, FakeInventory, roomOf, sdc, silent, snapshot, volume } from './scene.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

const TOKEN = newSecret('token of the page');

/** The page on a port of its own. */
async function page(more: Partial<PageOptions> = {}) {
  const inventory = new FakeInventory();
  const array = new FakeFamilies();
  inventory.volumes = [volume('db', ['host1'])];
  inventory.hosts = [sdc('host1'), sdc('host2')];
  const lines: string[] = [];
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const note = (facts: object, message: string): void => {
    lines.push(`${JSON.stringify(facts)} ${message}`);
    if ('url' in facts) resolve(String(facts.url));
  };
  const served = servePage(
    {
      snapshot: () => snapshot(),
      inventory,
      array,
      roomOf,
      clock: { ...systemClock, elapsed: () => performance.now() },
      log: { ...silent, info: note, error: note },
    },
    {
      address: `127.0.0.1:${await freePort()}`,
      token: undefined,
      prefix: 'docker-',
      intervalMs: 60_000,
      ...more,
    },
  );
  onTestFinished(() => served.close());
  const base = await url;
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(base + path, { redirect: 'manual', ...init });
  return { base, get, inventory, array, lines, served };
}

/** Sends text as it is and returns what comes back until the other side closes. */
async function raw(base: string, text: string): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname).end(text);
  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += String(part);
  return answer;
}

interface SeenEvent {
  readonly event: string;
  readonly data: { readonly revision: string };
}

/** The events of a stream as they come. */
async function* eventsOf(response: Response): AsyncGenerator<SeenEvent, undefined> {
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      yield { event, data: JSON.parse(data) as { revision: string } };
    }
  }
}

/** Connections that say nothing, and those of them that have been closed. */
async function idle(base: string, count: number): Promise<{ closed: () => number; socket: Socket }> {
  const { hostname, port } = new URL(base);
  let closed = 0;
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets)
    socket
      .on('error', () => undefined)
      .on('close', () => {
        closed += 1;
      });
  for (const socket of sockets) await once(socket, 'connect');
  const [socket] = sockets;
  if (socket === undefined) throw new Error('none was asked for');
  return { closed: () => closed, socket };
}

describe('the page', () => {
  it('is there for who asks, however many connections ask for nothing', async () => {
    const { base, get } = await page();
    await idle(base, 300);
    const began = performance.now();
    for (let times = 0; times < 5; times += 1)
      expect((await get('/api/overview', { headers: { connection: 'close' } })).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('keeps events flowing while connections that ask for nothing come and go', async () => {
    const { base, get } = await page();
    const { body } = await get('/api/events');
    const reader = body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    const { closed } = await idle(base, 300);
    await vi.waitFor(() => {
      expect(closed()).toBeGreaterThan(0);
    }, PATIENT);
    expect((await get('/api/overview', { headers: { connection: 'close' } })).status).toBe(200);
    expect((await reader?.read())?.done).toBe(false);
  });

  it.each(['//', '///', '//x', '//[', '//?token=%zz', '/%2f', '/%00', '/?%', '*'])(
    'says that there is nothing at %s, and breaks at no address',
    async (address) => {
      const { base } = await page();
      const answer = await new Promise<string>((resolve, reject) => {
        const { hostname, port } = new URL(base);
        const socket = connect(Number(port), hostname, () => {
          socket.write(`GET ${address} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
        });
        let text = '';
        socket
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('error', reject)
          .on('close', () => {
            resolve(text);
          });
      });
      expect(answer).toMatch(
        address.startsWith('/?') || address === '*' ? /^HTTP\/1\.1 (200|404) / : /^HTTP\/1\.1 404 /,
      );
      expect(answer.toLowerCase()).toContain('content-security-policy: ');
    },
  );

  it.each(['/%', '/%zz', '/%E0%A4%A'])('refuses %s, which is no address', async (address) => {
    const answer = await (await page()).get(address);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('is served with its files, none of which may load or send anything elsewhere', async () => {
    const { get, lines, base } = await page();
    const html = await (await get('/')).text();
    const files = [...html.matchAll(/(?:src|href)="\/?([a-z-]+\.[a-z]+)"/g)].map(([, name = '']) => name);
    expect(files).toEqual(expect.arrayContaining(['page.css', 'main.js']));
    for (const name of ['', ...files]) {
      const answer = await get(`/${name}`);
      expect([name, answer.status]).toEqual([name, 200]);
      expect(answer.headers.get('content-security-policy')).toContain(
        "default-src 'none'; script-src 'self'",
      );
      expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(html).not.toMatch(/<script>|<style|style="|https?:\/\/| on\w+="/);
    expect(lines).toContainEqual(`${JSON.stringify({ url: base })} the page is served`);
  });

  it('says of each kind of event what it means and what to do', async () => {
    const { get } = await page();
    const answer = await get('/runbook');
    expect(answer.headers.get('content-type')).toContain('text/html');
    const html = await answer.text();
    expect([...html.matchAll(/<section id="([a-z-]+)"/g)].map(([, kind]) => kind)).toEqual(
      Object.keys(RUNBOOK),
    );
    expect(html).not.toMatch(/<script>|<style|style="|https?:\/\/| on\w+="/);
    const script = await (await get('/timeline.js')).text();
    const [, known = ''] = /const KINDS = \{([\s\S]*?)\};/.exec(script) ?? [];
    for (const kind of Object.keys(RUNBOOK)) expect(known).toContain(kind);
  });

  it('has no other files', async () => {
    const { get } = await page();
    for (const path of [
      '/server.ts',
      '/..%2fserver.ts',
      '/%2e%2e/%2e%2e/package.json',
      '/nothing.js',
      '/x/y',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('tells programs the same as JSON', async () => {
    const { get, inventory } = await page();
    await expect.poll(() => inventory.readings).toBe(1);
    const overview = (await (await get('/api/overview?search=host1')).json()) as Overview;
    expect(overview).toMatchObject({
      version: 1,
      systemId: 'sys1',
      pools: [{ name: 'sp1' }],
      hosts: { total: 2 },
      volumes: { matching: 1, shown: [{ name: 'db', holders: [{ label: 'host1' }] }] },
      inventory: { state: 'current' },
    });
    expect((await get('/api/overview?limit=0')).status).toBe(400);
  });

  it('opens a volume or pool that it shows, and no other', async () => {
    const { get, inventory, array } = await page();
    await expect.poll(() => inventory.readings).toBe(1);
    const path = `/api/volumes/${encodeURIComponent('id of db')}`;
    const answer = await get(path);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await answer.json()).toMatchObject({ version: 1, volume: { name: 'db' }, snapshots: [] });
    expect((await get('/api/volumes/other')).status).toBe(404);
    expect(await (await get('/api/pools/pool1')).json()).toMatchObject({ id: 'pool1', version: 1 });
    expect((await get('/api/pools/other')).status).toBe(404);
    expect(array.calls).toBe(2);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
    'refuses %s: it can only be read',
    async (method) => {
      const { get } = await page();
      for (const path of ['/', '/api/overview', '/nowhere']) {
        const answer = await get(path, { method });
        expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
      }
    },
  );

  it('is not shown under a name that may lead here from elsewhere, nor to the scripts of other sites', async () => {
    const { base, get } = await page();
    for (const path of ['/', '/main.js', '/api/overview', '/api/volumes/x', '/api/events']) {
      const answer = await raw(base, `GET ${path} HTTP/1.1\r\nHost: evil.example.com\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1.1 403 /);
      expect(answer).not.toContain('sp1');
    }
    const asked = { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' } };
    expect((await get('/api/overview', asked)).status).toBe(403);
  });
});

describe('the page with a token', () => {
  it('shows nothing without it, and says what to do', async () => {
    const { get } = await page({ token: TOKEN });
    for (const path of [
      '/page.css',
      '/main.js',
      '/api/overview',
      '/api/volumes/x',
      '/api/pools/x',
      '/api/events',
      '/nowhere',
    ]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(await answer.text()).toContain('Authorization: Bearer');
    }
    const answer = await get('/');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain('SCALEIO_PAGE_TOKEN_FILE');
    expect((await get('/sign-in.css')).status).toBe(200);
  });

  it('takes it in a header', async () => {
    const { get } = await page({ token: TOKEN });
    const authorized = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await get('/api/overview', authorized(TOKEN))).status).toBe(200);
    expect((await get('/api/overview', authorized(TOKEN.toUpperCase()))).status).toBe(401);
  });

  it('takes it once in the address, for a cookie, and leads to an address without it', async () => {
    const { get, lines } = await page({ token: TOKEN });
    const first = await get(`/?token=${TOKEN}`);
    expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await get('/', { headers: { cookie } })).status).toBe(200);
    expect((await get('/api/overview', { headers: { cookie } })).status).toBe(200);
    const wrong = await get('/?token=wrong');
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    expect((await get(`/api/overview?token=${TOKEN}`)).status).toBe(401);
    expect(lines.join()).not.toContain(TOKEN);
  });
});

describe('the events', () => {
  it('tell at once how things stand, and when something has changed', async () => {
    const { get, inventory } = await page();
    await expect.poll(() => inventory.readings).toBe(1);
    const leaving = new AbortController();
    const answer = await get('/api/events', { signal: leaving.signal });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(answer);
    const first = (await events.next()).value;
    expect(first?.event).toBe('pulse');
    inventory.volumes = [volume('db', ['host2'])];
    let next = first;
    while (next?.data.revision === first?.data.revision) next = (await events.next()).value;
    expect(inventory.readings).toBeGreaterThan(1);
    leaving.abort();
  });

  it('are for 32 viewers at most; who leaves makes room', async () => {
    const { get } = await page();
    const leaving = new AbortController();
    const open = await Promise.all(
      Array.from({ length: 32 }, () => get('/api/events', { signal: leaving.signal })),
    );
    expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await get('/api/events');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    leaving.abort();
    const again = new AbortController();
    onTestFinished(() => {
      again.abort();
    });
    await expect.poll(async () => (await get('/api/events', { signal: again.signal })).status).toBe(200);
  });
});

describe('the address', () => {
  it('may be taken: that is logged, and the page comes when it is free', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const { promise: refused, resolve: onRefused } = Promise.withResolvers<string>();
    const { promise: url, resolve: onServed } = Promise.withResolvers<string>();
    const turns = Promise.withResolvers<undefined>();
    const served = servePage(
      {
        snapshot: () => snapshot(),
        inventory: new FakeInventory(),
        array: new FakeFamilies(),
        roomOf,
        clock: {
          now: () => 0,
          elapsed: () => 0,
          sleep: (ms, signal) => (ms === 10_000 ? turns.promise : systemClock.sleep(ms, signal)),
        },
        log: {
          ...silent,
          error: (facts) => {
            onRefused(JSON.stringify(facts));
          },
          info: (facts) => {
            if ('url' in facts) onServed(String(facts.url));
          },
        },
      },
      { address: `127.0.0.1:${port}`, token: undefined, prefix: 'docker-', intervalMs: 60_000 },
    );
    onTestFinished(() => served.close());
    expect(await refused).toContain('EADDRINUSE');
    squatter.close();
    await once(squatter, 'close');
    turns.resolve(undefined);
    expect((await fetch(`${await url}/api/overview`)).status).toBe(200);
  });
});
