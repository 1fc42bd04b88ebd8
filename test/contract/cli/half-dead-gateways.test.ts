import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, test, type TestContext } from 'vitest';
import { until } from '../../../lab/hosts/until.ts';
import { startHalfDeadGateway, type Illness } from '../gateway/half-dead.ts';

/* The program as it runs, each time limit at its default, in front of gateways of which none is of use. The waits are real. */

const main = path.resolve(import.meta.dirname, '../../../src/main.ts');

interface Plugin {
  readonly gateways: readonly string[];
  /** The body of the answer; undefined: the connection was broken in place of one. */
  readonly call: (operation: string, body: object) => Promise<string | undefined>;
  readonly log: () => Promise<string>;
}

async function pluginBehind(illness: Illness, { onTestFinished }: TestContext): Promise<Plugin> {
  const gateways = [await startHalfDeadGateway(illness), await startHalfDeadGateway(illness)];
  const dir = await mkdtemp(path.join(tmpdir(), 'half-dead-'));
  const socketPath = path.join(dir, 'plugin.sock');
  const logPath = path.join(dir, 'log');
  const log = await open(logPath, 'w');
  const places = ['--socket', socketPath, '--state-dir', dir, '--mount-root', path.join(dir, 'volumes')];
  const program = spawn(process.execPath, [main, 'serve', ...places], {
    stdio: ['ignore', log.fd, log.fd],
    env: {
      PATH: process.env['PATH'],
      SCALEIO_ENDPOINT: gateways.map(({ url }) => url).join(','),
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: 'not-a-password-of-anybody',
      SCALEIO_GUID: '00000000-0000-0000-0000-000000000000',
    },
  });
  onTestFinished(async () => {
    if (program.exitCode === null && program.signalCode === null) {
      program.kill('SIGKILL');
      await once(program, 'exit');
    }
    await log.close();
    await rm(dir, { recursive: true });
    for (const gateway of gateways) await gateway.close();
  });
  await until('the plugin to listen', async () => (await readFile(logPath, 'utf8')).includes('"listening"'));
  return {
    gateways: gateways.map(({ url }) => url),
    call: (operation, body) => called(socketPath, operation, body),
    log: () => readFile(logPath, 'utf8'),
  };
}

async function called(socketPath: string, operation: string, body: object): Promise<string | undefined> {
  const sent = request({ socketPath, path: `/VolumeDriver.${operation}`, method: 'POST', agent: false });
  sent.end(JSON.stringify(body));
  return once(sent, 'response').then(
    ([response]) => text(response as IncomingMessage),
    () => undefined,
  );
}

/**
 * What the call comes to, which must be there before the plugin answers a call that costs nothing and is sent after `seconds`: a
 * machine that is busy delays both.
 */
async function within<T>(seconds: number, plugin: Plugin, call: Promise<T>): Promise<T> {
  const tooLate = delay(seconds * 1000)
    .then(() => plugin.call('Capabilities', {}))
    .then(() => Promise.reject(new Error(`no answer within ${seconds} s`)));
  // Once the call has won, nobody listens.
  tooLate.catch(() => undefined);
  return Promise.race([call, tooLate]);
}

describe.concurrent.each<Illness>(['is silent', 'drips', 'drips its body'])(
  'each of two gateways %s',
  (illness) => {
    test('List is refused within 4 s; Get, Create and Mount say within 10 s what is wrong', async (context) => {
      const { expect } = context;
      const plugin = await pluginBehind(illness, context);
      const [list, get, create, mount] = await Promise.all([
        within(4, plugin, plugin.call('List', {})),
        within(10, plugin, plugin.call('Get', { Name: 'asked' })),
        within(10, plugin, plugin.call('Create', { Name: 'wanted', Opts: {} })),
        within(10, plugin, plugin.call('Mount', { Name: 'used', ID: 'container' })),
      ]);
      const [one = '', two = ''] = plugin.gateways;
      expect(list).toContain(`cannot list volumes: it took too long (${one}: no answer so far)`);
      // An answer to Get in doubt makes the engine forget the volume: the log says what is wrong.
      expect(get).toBeUndefined();
      const said = (await plugin.log()).split('\n').find((line) => line.includes('Get not answered'));
      for (const told of [said, create, mount]) {
        expect(told).toContain(`${one}: no answer in time`);
        expect(told).toContain(`${two}: no answer`);
      }
    });
  },
);
