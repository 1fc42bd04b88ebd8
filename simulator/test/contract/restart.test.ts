import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { overwriteContent } from '../../src/mdm/snapshots.ts';
import { guidA, guidB, simulate } from './gateway-client.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'simulator-restart-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Its first six bytes. */
async function headOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  const { buffer } = await file.read(Buffer.alloc(6), 0, 6, 0);
  await file.close();
  return buffer.toString();
}

test('volumes, mappings, data, names and ids are there again after a restart', async () => {
  const dir = await folder();
  const first = await simulate({ dir });
  const sdc = await first.sim.connectSdc({ guid: guidA, name: 'host-a' });
  const id = await first.client.createVolume({ name: 'db' });
  await first.client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
  await first.client.act('Volume', id, 'setMappedSdcLimits', { sdcId: sdc.id, iopsLimit: '20' });
  const file = await open(first.sim.array.files.path(id), 'r+');
  await file.write('precious', 4096);
  await file.close();
  const before = await first.client.object('Volume', id);
  await first.sim.close();

  const second = await simulate({ dir });
  expect(second.sim.systemId).toBe(first.sim.systemId);
  expect(await second.client.object('Volume', id)).toEqual(before);
  expect((await second.client.list('Sdc'))[0]).toMatchObject({
    name: 'host-a',
    mdmConnectionState: 'Disconnected',
  });
  const again = await second.sim.connectSdc({ guid: guidA });
  expect(again.id).toBe(sdc.id);
  expect(again.volumes()).toMatchObject([{ volumeId: id, limitIops: 20 }]);
  const reopened = await open(second.sim.array.files.path(id), 'r');
  const { buffer } = await reopened.read(Buffer.alloc(8), 0, 8, 4096);
  await reopened.close();
  expect(buffer.toString()).toBe('precious');
  const next = await second.client.createVolume({ name: 'next' });
  expect(next).not.toBe(id);
});

test('what a kill between the state and the files left behind is put right', async () => {
  const dir = await folder();
  const first = await simulate({ dir });
  const a = await first.sim.connectSdc({ guid: guidA });
  await first.sim.connectSdc({ guid: guidB });
  const mapped = await first.client.createVolume();
  const free = await first.client.createVolume();
  for (const id of [mapped, free]) await first.client.act('Volume', id, 'addMappedSdc', { sdcId: a.id });
  await first.client.act('Volume', free, 'removeMappedSdc', { sdcId: a.id });
  await first.sim.close();

  const fence = (id: string) => join(dir, 'fence', id);
  await rm(fence(mapped));
  await rm(join(dir, 'volumes', mapped));
  await writeFile(fence(free), JSON.stringify({ volumeId: free, allowed: [guidA] }));
  await writeFile(
    fence('00000000deadbeef'),
    JSON.stringify({ volumeId: '00000000deadbeef', allowed: [guidB] }),
  );
  await writeFile(join(dir, 'volumes', '00000000deadbeef'), 'orphan');
  await writeFile(join(dir, 'volumes', `${mapped}.copy`), 'half');

  await simulate({ dir });
  const allowed = async (id: string) =>
    (JSON.parse(await readFile(fence(id), 'utf8')) as { allowed: string[] }).allowed;
  expect(await allowed(mapped)).toEqual([guidA]);
  expect(await allowed(free)).toEqual([]);
  expect((await readdir(join(dir, 'fence'))).sort()).toEqual([mapped, free].sort());
  expect((await readdir(join(dir, 'volumes'))).sort()).toEqual([mapped, free].sort());
});

test('content that lay ready when the simulator died takes the place of the old one at the next start', async () => {
  const dir = await folder();
  const first = await simulate({ dir });
  const id = await first.client.createVolume();
  const sdc = await first.sim.connectSdc({ guid: guidA });
  await first.client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
  const file = join(dir, 'volumes', id);
  const put = async (text: string): Promise<void> => {
    const handle = await open(file, 'r+');
    await handle.write(text);
    await handle.close();
  };
  await put('before');
  const { body } = await first.client.post('/api/instances/System/action/snapshotVolumes', {
    snapshotDefs: [{ volumeId: id }],
  });
  const [snapshot = ''] = (body as { volumeIdList: string[] }).volumeIdList;
  await put('after!');
  // As far as it comes before the content itself is replaced.
  const { files } = first.sim.array;
  await files.stage(snapshot, id, 8 * 2 ** 20);
  await first.sim.array.perform((cluster) => {
    overwriteContent(cluster, { targetId: id, sourceId: snapshot, evenLocked: false });
  });
  await truncate(file, 3);
  await first.sim.close();

  const second = await simulate({ dir });
  expect(await headOf(file)).toBe('before');
  expect((await stat(file)).size).toBe(8 * 2 ** 30);
  expect((await readdir(join(dir, 'volumes'))).sort()).toEqual([id, snapshot].sort());
  await put('later!');
  await second.sim.close();
  await simulate({ dir });
  expect(await headOf(file)).toBe('later!');
});

test('a snapshot whose copying was not finished is gone after a restart: nobody was told of it', async () => {
  const dir = await folder();
  const first = await simulate({ dir });
  const id = await first.client.createVolume();
  await first.sim.array.perform((cluster) => {
    const volume = cluster.state.volumes.get(id);
    if (volume) cluster.state.volumes.put({ ...volume, copyingFrom: 'ffff' });
  });
  await first.sim.close();
  const second = await simulate({ dir });
  expect(await second.client.list('Volume')).toEqual([]);
});
