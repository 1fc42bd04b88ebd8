import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../../plugin/bundle.ts';
import type { ProcessId } from '../../lab/hosts/process.ts';
import { until } from '../../lab/hosts/until.ts';
import { DocsPage } from './docs-page.ts';
import { bareStage, type Stage } from '../../lab/stage/stage.ts';

/*
 * The commands of docs/simulator.md and simulator/README.md, word for word and in their order, on a host that has an engine and
 * nothing of ours.
 */

const project = path.resolve(import.meta.dirname, '../..');

let stage: Stage;

beforeAll(async () => {
  await bundleProgram();
  stage = await bareStage();
});

afterAll(async () => {
  await stage.close();
});

/** Hosts of the lab have a shorter PATH than root's is. */
function inCheckout(block: string): string[] {
  return ['bash', '-ec', `cd ${project}\nPATH=$PATH:/usr/local/bin\n${block}`];
}

/** What a program of the host has said. */
function said(name: string): Promise<string> {
  return readFile(path.join(stage.host.directory, `${name}.log`), 'utf8');
}

/** Whether a process of this number, or of this group when it is negative, runs. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** The programs of a page that run in terminals of their own; `end` is Ctrl-C in each, the last one first. */
class Terminals {
  readonly #running: ProcessId[] = [];

  async start(name: string, block: string, ready: () => Promise<boolean>): Promise<string> {
    this.#running.unshift(await stage.host.start(name, inCheckout(block)));
    await until(`${name} to be ready (see ${stage.host.directory}/${name}.log)`, ready);
    return said(name);
  }

  async end(): Promise<void> {
    for (const program of this.#running) {
      const group = -program.pid;
      process.kill(group, 'SIGINT');
      await until('it to end', () => !isThere(group));
    }
  }
}

test('those of docs/simulator.md lead to a volume that a container writes, and nothing of it stays', async () => {
  const { host } = stage;
  const page = await DocsPage.read('docs/simulator.md', {});
  const bundle = page.next('make bundle\n');
  const array = page.next('docker-volume-scaleio simulate ');
  const sdc = page.next('docker-volume-scaleio simulate-sdc ');
  const plugin = page.next('export SCALEIO_ENDPOINT=');
  const volume = page.next('docker volume create ');
  const end = page.next('rm -r ');
  expect(page.left).toEqual([]);
  const terminals = new Terminals();

  // The bundle has been made, and by the same program: `make` would first look for Debian's packages in the lab's network.
  await host.exec(inCheckout(bundle.replace('make bundle\n', '')));
  const ofArray = await terminals.start('array', array, async () => (await said('array')).includes('Ready.'));
  const settings = [...ofArray.matchAll(/^SCALEIO_\w+=.*$/gm)].map(([setting]) => setting);
  expect(settings).toHaveLength(3);
  for (const setting of settings) expect(plugin).toContain(setting);
  const printed = /^docker-volume-scaleio simulate-sdc .*$/m.exec(ofArray)?.[0] ?? '';
  const [, places] = / (--ip .*)$/.exec(printed) ?? [];
  expect(sdc.replaceAll(/\s*\\\n\s*/g, ' ')).toContain(places);

  const ofSdc = await terminals.start('sdc', sdc, async () => (await said('sdc')).includes('is up'));
  const guid = /^SCALEIO_GUID=(.*)$/m.exec(ofSdc)?.[1];
  const drvCfg = /^SCALEIO_DRV_CFG=(.*)$/m.exec(ofSdc)?.[1] ?? '';
  expect(sdc).toContain(guid);
  expect(await host.exec([drvCfg, '--query_guid'])).toBe(guid);

  const socket = '/run/docker/plugins/scaleio.sock';
  const listens = () => host.exec(['test', '-S', socket]).then(() => true);
  await terminals.start(
    'plugin',
    plugin,
    async () => (await listens()) && (await said('plugin')).includes('listening'),
  );
  expect(await host.exec(inCheckout(volume))).toMatch(/^tryout\n.*\d{4}\n\[\n/);

  await terminals.end();
  await host.exec(inCheckout(end));
  await expect(host.exec(['ls', '/opt/emc/scaleio/sdc/bin/drv_cfg'])).rejects.toThrow();
});

test("those of the simulator's own page lead to a device with a file system, and nothing of it stays", async () => {
  const { host } = stage;
  const page = await DocsPage.read('simulator/README.md', {});
  const array = page.next('npx scaleio-simulator --dir ');
  const sdc = page.next('npx scaleio-simulator sdc ');
  const volume = page.next('guid=');
  const removal = page.next('ask ');
  const fault = page.next('curl ');
  const end = page.next('rm -r ');
  // simulator/test/integration/package.test.ts runs it.
  expect(page.left).toEqual(['npm run package -w scaleio-simulator']);
  const terminals = new Terminals();

  const ofArray = await terminals.start('own-array', array, async () =>
    (await said('own-array')).includes('Ready.'),
  );
  expect(ofArray).toContain('user      admin, password Scaleio123');
  const places = / --ip .*$/m.exec(ofArray)?.[0] ?? 'nothing';
  expect(sdc.replaceAll(/\s*\\\n\s*/g, ' ')).toContain(places);
  await terminals.start('own-sdc', sdc, async () => (await said('own-sdc')).includes('is up'));

  // One shell, as a reader has it: the later commands use the variables of the first.
  const shell = [volume, 'test -b "$device"', removal, 'test ! -e "$device"', fault].join('\n');
  const lines = (await host.exec(inCheckout(shell))).split('\n');
  expect(lines.find((line) => line.includes('ext4'))).toContain('TYPE="ext4"');
  expect(lines.at(-1)).toMatch(/503$/);

  await terminals.end();
  await host.exec(inCheckout(end));
  expect(await host.exec(['ls', '/dev/disk/by-id'])).toBe('');
});
