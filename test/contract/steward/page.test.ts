import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { bundleProgram } from '../../../plugin/bundle.ts';
import type { Overview } from '../../../src/steward/page/page-data.ts';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { newVolume, PASSWORD, simulated, soon, twoSdcs } from '../gateway/simulated.ts';

test('the bundled program serves the page, all of it from the one file', { timeout: 60_000 }, async () => {
  const { simulator, gateway } = await simulated();
  const { one } = await twoSdcs(simulator);
  const volumeId = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await gateway.attachVolume({ volumeId, hostId: one, readOnly: false }, soon());

  const dir = await mkdtemp(path.join(tmpdir(), 'bundled-page-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const program = path.join(dir, 'program.cjs');
  const policy = path.join(dir, 'steward.yml');
  await bundleProgram(program);
  await writeFile(policy, 'version: 1\npools: [{ pool: sp1 }]\n');
  const steward = execa(
    process.execPath,
    [program, 'steward', '--policy', policy, '--metrics-socket', 'none'],
    {
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
        SCALEIO_PAGE_ADDRESS: `127.0.0.1:${await freePort()}`,
      },
      reject: false,
      buffer: false,
    },
  );
  onTestFinished(async () => {
    steward.kill('SIGTERM');
    expect(await steward).toMatchObject({ exitCode: 0 });
  });
  const url = await urlIn(steward.stdout);

  const html = await (await fetch(url)).text();
  const files = [...html.matchAll(/(?:src|href)="([a-z-]+\.[a-z]+)"/g)].map(([, name = '']) => name);
  const scripts = await Promise.all(files.map(async (name) => (await fetch(`${url}/${name}`)).text()));
  const imported = scripts.flatMap((text) => [...text.matchAll(/ from '\.\/([a-z]+\.js)'/g)]);
  for (const [, name = ''] of imported)
    expect([name, (await fetch(`${url}/${name}`)).status]).toEqual([name, 200]);
  expect(imported.length).toBeGreaterThan(5);

  const ask = async (): Promise<Overview> => (await (await fetch(`${url}/api/overview`)).json()) as Overview;
  await expect.poll(async () => (await ask()).inventory.state, { timeout: 20_000 }).toBe('current');
  await expect.poll(async () => (await ask()).space.state, { timeout: 20_000 }).toBe('current');
  expect(await ask()).toMatchObject({
    pools: [{ name: 'sp1', domain: 'pd1', level: 'ok' }],
    volumes: { shown: [{ name: 'db', holders: [{ label: '10.0.0.1', isConnected: true }] }] },
  });
});

/** Where the steward says that it serves the page. */
async function urlIn(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) {
      output.resume();
      return url;
    }
  }
  throw new Error('the steward ended without serving the page');
}
