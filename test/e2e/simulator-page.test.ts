import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../../plugin/bundle.ts';
import { isRunning, killHard, signal, type ProcessId } from '../../lab/hosts/process.ts';
import { until } from '../../lab/hosts/until.ts';
import { DocsPage } from './docs-page.ts';
import { bareStage, type Stage } from '../../lab/stage/stage.ts';

/* The commands of docs/simulator.md, word for word and in their order, on a host that has an engine and nothing of ours. */

const project = path.resolve(import.meta.dirname, '../..');

let stage: Stage;

beforeAll(async () => {
  await bundleProgram();
  stage = await bareStage();
});

afterAll(async () => {
  await stage.close();
});

test('they lead to a volume that a container writes, and nothing of it stays', async () => {
  const { host } = stage;
  const page = await DocsPage.read('docs/simulator.md', {});
  const bundle = page.next('make bundle\n');
  const array = page.next('docker-volume-scaleio simulate ');
  const sdc = page.next('docker-volume-scaleio simulate-sdc ');
  const plugin = page.next('export SCALEIO_ENDPOINT=');
  const volume = page.next('docker volume create ');
  const end = page.next('rm -r ');
  expect(page.left).toEqual([]);
  // Hosts of the lab have a shorter PATH than root's is.
  const here = (block: string): string[] => [
    'bash',
    '-ec',
    `cd ${project}\nPATH=$PATH:/usr/local/bin\n${block}`,
  ];
  const said = (name: string) => readFile(path.join(host.directory, `${name}.log`), 'utf8');
  const running: ProcessId[] = [];
  const start = async (name: string, block: string, ready: () => Promise<boolean>): Promise<string> => {
    running.unshift(await host.start(name, here(block)));
    await until(`${name} to be ready (see ${host.directory}/${name}.log)`, ready);
    return said(name);
  };

  // The bundle has been made, and by the same program: `make` would first look for Debian's packages in the lab's network.
  await host.exec(here(bundle.replace('make bundle\n', '')));
  const ofArray = await start('array', array, async () => (await said('array')).includes('Ready.'));
  const settings = [...ofArray.matchAll(/^SCALEIO_\w+=.*$/gm)].map(([setting]) => setting);
  expect(settings).toHaveLength(3);
  for (const setting of settings) expect(plugin).toContain(setting);
  const printed = /^docker-volume-scaleio simulate-sdc .*$/m.exec(ofArray)?.[0] ?? '';
  const [, places] = / (--ip .*)$/.exec(printed) ?? [];
  expect(sdc.replaceAll(/\s*\\\n\s*/g, ' ')).toContain(places);

  const ofSdc = await start('sdc', sdc, async () => (await said('sdc')).includes('is up'));
  const guid = /^SCALEIO_GUID=(.*)$/m.exec(ofSdc)?.[1];
  const drvCfg = /^SCALEIO_DRV_CFG=(.*)$/m.exec(ofSdc)?.[1] ?? '';
  expect(sdc).toContain(guid);
  expect(await host.exec([drvCfg, '--query_guid'])).toBe(guid);

  const socket = '/run/docker/plugins/scaleio.sock';
  const listens = () => host.exec(['test', '-S', socket]).then(() => true);
  await start(
    'plugin',
    plugin,
    async () => (await listens()) && (await said('plugin')).includes('listening'),
  );
  expect(await host.exec(here(volume))).toMatch(/^tryout\n.*\d{4}\n\[\n/);

  for (const program of running) {
    signal(program, 'SIGTERM');
    await until('it to end', () => !isRunning(program));
  }
  await host.exec(here(end));
  await expect(host.exec(['ls', '/opt/emc/scaleio/sdc/bin/drv_cfg'])).rejects.toThrow();
  for (const program of running) if (isRunning(program)) await killHard(program);
});
