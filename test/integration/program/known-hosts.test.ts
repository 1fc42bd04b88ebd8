import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../lab/hosts/until.ts';
import { startApp, type App } from '../../../src/apps/plugin.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import type { HostId } from '../../../src/array/ids.ts';
import { pluginEnv } from '../../contract/docker/plugin-env.ts';
import { newVolume, simulated, soon } from '../../contract/gateway/simulated.ts';
import { socketClient } from '../../contract/docker/target.ts';

/* The plugin over a restart, and a host that the array no longer tells of: its last known address was on disk. */

const OTHER = '22222222-2222-2222-2222-222222222222';

/** A gateway whose answers somebody changes on the way. */
async function between(url: string, change: (text: string) => string): Promise<string> {
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', headers } = request;
    const body = await text(request);
    const { authorization = '' } = headers;
    const answer = await fetch(`${url}${request.url ?? ''}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === '' ? {} : { body }),
    });
    const type = answer.headers.get('content-type') ?? '';
    response.writeHead(answer.status, { 'content-type': type }).end(change(await answer.text()));
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What an array says of a host that it has lost: neither name nor address. */
function withoutHost2(answer: string): string {
  return answer.replaceAll('"host2"', 'null').replaceAll('"10.0.0.2"', '"N/A"');
}

interface Holder {
  readonly sdc: string;
  readonly ip: string | null;
  readonly lastKnown?: boolean;
}

/** Runs the plugin on the directory while `work` asks it who holds "db". */
async function serving(
  directory: string,
  endpoint: string,
  work: (holders: () => Promise<readonly Holder[]>) => Promise<void>,
): Promise<void> {
  const env = pluginEnv(directory, endpoint);
  const app: App = await startApp({
    log: pino({ level: 'silent' }),
    droppedLines: () => 0,
    version: '1',
    lockDir: directory,
    readSettings: () => loadSettings({ env, readFile: () => '' }),
    systemd: { listenFds: undefined, listenPid: undefined, ownPid: process.pid },
  });
  const client = socketClient(path.join(directory, 's.sock'));
  try {
    await work(async () => {
      const outcome = await client.request({ path: '/VolumeDriver.Get', body: '{"Name":"db"}' });
      if (outcome.kind === 'dropped') throw new Error('Get was not answered');
      const { Volume } = JSON.parse(outcome.text) as { Volume: { Status: { mappedTo: Holder[] } } };
      return Volume.Status.mappedTo;
    });
  } finally {
    client.end();
    await app.close();
  }
}

test('the address of a host that is lost is told after a restart, and said to be the last known', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-hosts-'));
  onTestFinished(async () => {
    // What guards the mountpoints, which a plugin leaves when it ends.
    await execa('umount', ['--recursive', path.join(directory, 'mounts')], { reject: false });
    await rm(directory, { recursive: true, force: true });
  });
  const { simulator, gateway } = await simulated();
  const other = await simulator.connectSdc({ guid: OTHER, ip: '10.0.0.2', name: 'host2' });
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await gateway.attachVolume({ volumeId: id, hostId: other.id as HostId, readOnly: false }, soon());
  const [url = ''] = simulator.urls;
  let isLost = false;
  const endpoint = await between(url, (answer) => (isLost ? withoutHost2(answer) : answer));

  await serving(directory, endpoint, async (holders) => {
    expect(await holders()).toEqual([{ sdc: 'host2', ip: '10.0.0.2' }]);
    const file = path.join(directory, 'state/known-hosts');
    await until('it to be on disk', () =>
      readFile(file, 'utf8').then(
        (content) => content.includes('10.0.0.2'),
        () => false,
      ),
    );
  });
  isLost = true;
  await serving(directory, endpoint, async (holders) => {
    expect(await holders()).toEqual([{ sdc: 'host2', ip: '10.0.0.2', lastKnown: true }]);
  });
});
