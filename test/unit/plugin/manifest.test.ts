import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { contents, packagedFiles, packageNames } from '../../../plugin/contents.ts';
import { dockerfileText } from '../../../plugin/dockerfile.ts';
import { FIXED_SETTINGS, manifest } from '../../../plugin/manifest.ts';
import { environmentTable } from '../../../src/config/describe-settings.ts';
import { debianPackageOf } from '../../../src/host/programs.ts';

const project = path.resolve(import.meta.dirname, '../../..');

interface Manifest {
  interface: { types: string[]; socket: string };
  entrypoint: string[];
  env: { name: string; description: string; value: string | null; settable: string[] }[];
  propagatedMount: string;
  mounts: { source: string; destination: string; options: string[] }[];
  linux: { capabilities: string[] };
}

async function committed(): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(project, 'config.json'), 'utf8')) as Manifest;
}

test('config.json is what manifest.ts makes of the settings', async () => {
  expect(await committed()).toEqual(manifest());
});

test('every setting can be set, with a description, except those with one right value in here and those of the steward', async () => {
  const { env } = await committed();
  const settable = env.filter((one) => one.settable.includes('value'));
  const wanted = environmentTable()
    .filter(({ isForSteward }) => !isForSteward)
    .map((one) => one.name);
  expect(settable.map((one) => one.name)).toEqual(wanted.filter((name) => !FIXED_SETTINGS.includes(name)));
  expect(FIXED_SETTINGS.filter((name) => !wanted.includes(name))).toEqual([]);
  for (const { description } of settable) expect(description).toMatch(/\w{3}/);
});

test('the plugin obeys the limits that the engine checks only when it is enabled', async () => {
  const { interface: socket, mounts, propagatedMount, entrypoint } = await committed();
  expect(socket.socket.length).toBeLessThanOrEqual(22);
  expect(mounts.filter((one) => one.destination.startsWith('/dev/'))).toEqual([]);
  const mountRoot = entrypoint[entrypoint.indexOf('--mount-root') + 1];
  expect(mountRoot?.startsWith(`${propagatedMount}/`)).toBe(true);
});

test('the mounts name only directories that every host has', async () => {
  const { mounts } = await committed();
  expect(mounts.map((one) => one.source)).toEqual(['/dev', '/opt', '/etc']);
});

test('the unit of a host service runs the program as the managed plugin does', async () => {
  const file = path.join(project, 'plugin/systemd/docker-volume-scaleio.service');
  const unit = await readFile(file, 'utf8');
  expect(unit).toContain(`/node ${contents.nodeFlags.join(' ')} /usr/lib/`);
  const { env } = await committed();
  for (const [name, value] of Object.entries(contents.environment)) {
    expect(unit).toMatch(new RegExp(`^Environment=.*\\b${name}=${value}\\b`, 'm'));
    expect(env.find((one) => one.name === name)).toMatchObject({ value, settable: [] });
  }
});

test('plugin/Dockerfile is what dockerfile.ts makes of the contents', async () => {
  expect(await readFile(path.join(project, 'plugin/Dockerfile'), 'utf8')).toBe(dockerfileText());
});

test('every program in the root file system comes from the package that error messages name', () => {
  const programs = contents.packages.flatMap(({ name, files }) =>
    files.filter((file) => file.includes('bin/')).map((file) => ({ name, program: path.basename(file) })),
  );
  for (const { name, program } of programs)
    expect([program, debianPackageOf(program)]).toEqual([program, name]);
  expect(new Set(packagedFiles()).size).toBe(packagedFiles().length);
  expect(packageNames()).toEqual([...new Set(packageNames())]);
});
