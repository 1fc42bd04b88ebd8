import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { socketClient, type Outcome } from '../../contract/docker/target.ts';
import { until } from '../../../lab/hosts/until.ts';
import { startBundledStack, type BundledStack } from './bundled-stack.ts';

/*
 * The program with mistakes in its settings, on a host where a container has a volume: an engine must find a plugin that says what is
 * wrong, and what is mounted must stay as it is.
 */

let stack: BundledStack;
let client: ReturnType<typeof socketClient>;
let mountpoint: string;

const ask = (call: string, body: object = {}): Promise<Outcome> =>
  client.request({
    path: call.includes('.') ? `/${call}` : `/VolumeDriver.${call}`,
    body: JSON.stringify(body),
  });

async function answerTo(call: string, body: object = {}): Promise<Record<string, unknown>> {
  const outcome = await ask(call, body);
  if (outcome.kind === 'dropped') throw new Error(`${call} was not answered`);
  return JSON.parse(outcome.text) as Record<string, unknown>;
}

async function restart(settings: Record<string, string>): Promise<void> {
  client.end();
  await stack.restartPlugin({ settings });
  client = socketClient(stack.socketPath);
}

async function readiness(): Promise<{
  ready: boolean;
  checks: { name: string; ready: boolean; reason: string }[];
}> {
  const outcome = await client.request({ path: '/readyz', method: 'GET' });
  if (outcome.kind === 'dropped') throw new Error('no answer');
  return JSON.parse(outcome.text) as Awaited<ReturnType<typeof readiness>>;
}

const settingsCheck = async (): Promise<string | undefined> =>
  (await readiness()).checks.find(({ name }) => name === 'settings')?.reason;

beforeAll(async () => {
  stack = await startBundledStack();
  client = socketClient(stack.socketPath);
  for (const Name of ['db', 'seen']) await answerTo('Create', { Name, Opts: { size: '8GiB', fs: 'ext4' } });
  const mounted = await answerTo('Mount', { Name: 'db', ID: 'container-1' });
  mountpoint = String(mounted['Mountpoint']);
  await writeFile(path.join(mountpoint, 'row'), 'kept');
});

afterAll(async () => {
  client.end();
  await stack.close();
});

describe('a plugin whose settings have mistakes', () => {
  const caFile = (): string => path.join(stack.directory, 'ca.pem');

  beforeAll(() => restart({ SCALEIO_FS: 'ext5', SCALEIO_CA_FILE: caFile(), SCALEIO_POOLL: 'p' }));

  it('is a volume driver', async () => {
    expect(await answerTo('Plugin.Activate')).toEqual({ Implements: ['VolumeDriver'] });
    expect(await answerTo('Capabilities')).toEqual({ Capabilities: { Scope: 'global' } });
  });

  it.each([
    ['Create', { Name: 'new', Opts: {} }],
    ['Mount', { Name: 'db', ID: 'container-2' }],
    ['Remove', { Name: 'seen' }],
    ['List', {}],
  ])('answers %s with all of them, and with what to write instead', async (call, body) => {
    const { Err } = await answerTo(call, body);
    expect(Err).toMatch(/^the settings have 3 mistakes: /);
    expect(Err).toContain('SCALEIO_FS: "ext5" is not one of ext4, xfs, btrfs; did you mean "ext4"?');
    expect(Err).toContain(`SCALEIO_CA_FILE: cannot read file "${caFile()}": ENOENT; put the authority`);
    expect(Err).toContain('unknown setting "SCALEIO_POOLL"; did you mean SCALEIO_POOL?');
    expect(Err).toContain('docker plugin set');
  });

  it('knows what is mounted', async () => {
    expect(await answerTo('Path', { Name: 'db' })).toMatchObject({ Mountpoint: mountpoint });
    expect(await answerTo('Get', { Name: 'db' })).toMatchObject({ Volume: { Mountpoint: mountpoint } });
    expect(await readFile(path.join(mountpoint, 'row'), 'utf8')).toBe('kept');
  });

  it('tells of a volume that it remembers, and that this may be old', async () => {
    expect(await answerTo('Get', { Name: 'seen' })).toMatchObject({
      Volume: { Name: 'seen', Status: { stale: true } },
    });
  });

  it('leaves a Get for a name that it does not know without an answer, so that no engine forgets the volume', async () => {
    expect(await ask('Get', { Name: 'elsewhere' })).toEqual({ kind: 'dropped' });
  });

  it('says the same in its log and at /readyz', async () => {
    expect(await settingsCheck()).toMatch(/^the settings have 3 mistakes: .*SCALEIO_FS.*SCALEIO_CA_FILE/);
    expect(await stack.pluginLog()).toMatch(
      /"level":"error".*cannot serve volumes: the settings have 3 mistakes: /,
    );
  });

  it('lets go of what a container no longer needs; the array hears of it once the settings are right', async () => {
    expect(await answerTo('Unmount', { Name: 'db', ID: 'container-1' })).toEqual({});
    expect(await answerTo('Path', { Name: 'db' })).toMatchObject({ Mountpoint: '' });
    await restart({});
    const mounted = await answerTo('Mount', { Name: 'db', ID: 'container-3' });
    expect(await readFile(path.join(String(mounted['Mountpoint']), 'row'), 'utf8')).toBe('kept');
    await answerTo('Unmount', { Name: 'db', ID: 'container-3' });
  });
});

describe('a plugin that waits for a file', () => {
  const password = (): string => path.join(stack.directory, 'password');

  it('serves once the file is there', async () => {
    await restart({ SCALEIO_PASSWORD: '', SCALEIO_PASSWORD_FILE: password() });
    expect(await answerTo('Create', { Name: 'late', Opts: { size: '8GiB', fs: 'ext4' } })).toMatchObject({
      Err: expect.stringContaining(`SCALEIO_PASSWORD: cannot read file "${password()}": ENOENT`) as string,
    });
    await writeFile(password(), `\uFEFF${stack.password}\r\n`);
    await until('the settings to be taken up', async () => (await settingsCheck()) === 'in force');
    expect(await answerTo('Create', { Name: 'late', Opts: { size: '8GiB', fs: 'ext4' } })).toEqual({});
    expect(await stack.pluginLog()).toContain('mended: serving volumes');
  });

  it('tells of another mistake that comes to light meanwhile', async () => {
    const ca = path.join(stack.directory, 'authority.pem');
    await restart({ SCALEIO_CA_FILE: ca });
    await writeFile(ca, 'no certificate');
    await until(
      'the new mistake',
      async () => (await settingsCheck())?.includes('no whole certificate') === true,
    );
    await writeFile(ca, rootCertificates[0] ?? '');
    await until('the settings to be taken up', async () => (await settingsCheck()) === 'in force');
    await rm(ca);
  });
});
