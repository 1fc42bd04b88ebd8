import { expect, it } from 'vitest';
import { openKnownHosts } from '../../../src/journal/known-hosts.ts';
import type { HostId } from '../../../src/array/ids.ts';
import { diskError, FakeClock, FakeDisk, fakeLog } from './fake-disk.ts';

const file = '/state/known-hosts';
const [one, two] = ['1', '2'].map((id) => id.padStart(16, '0') as HostId) as [HostId, HostId];
const HOST = { name: 'host1', address: '10.0.0.1' };

async function open(files = new FakeDisk(), isWriter = true) {
  const clock = new FakeClock();
  const log = fakeLog();
  const hosts = await openKnownHosts({ dir: '/state', files, clock, log, isWriter });
  return { hosts, files, clock, log };
}

it('knows hosts at once, and again after a restart', async () => {
  const { hosts, files, clock } = await open();
  hosts.remember(one, { name: 'old', address: '10.0.0.9' });
  hosts.remember(one, HOST);
  hosts.remember(two, { name: null, address: null });
  expect([hosts.lastKnown(one), hosts.lastKnown(two), files.writes]).toEqual([HOST, undefined, 0]);
  expect(clock.sleepers).toHaveLength(1);
  await hosts.close();
  expect(files.writes).toBe(1);
  const later = files.restart();
  const again = await open(later);
  expect(again.hosts.lastKnown(one)).toEqual(HOST);
  again.hosts.remember(one, HOST);
  await again.hosts.close();
  expect(later.writes).toBe(0);
});

it('writes nothing beside the plugin that writes', async () => {
  const { hosts, files, clock } = await open(new FakeDisk(), false);
  hosts.remember(one, HOST);
  await hosts.close();
  expect([hosts.lastKnown(one), clock.sleepers, files.writes]).toEqual([HOST, [], 0]);
});

it('keeps the 10,000 hosts of which something new was last learned', async () => {
  const { hosts } = await open();
  for (let index = 0; index <= 10_000; index += 1)
    hosts.remember(index.toString(16).padStart(16, '0') as HostId, HOST);
  expect(hosts.lastKnown('0'.repeat(16) as HostId)).toBeUndefined();
  expect(hosts.lastKnown(one)).toEqual(HOST);
  await hosts.close();
});

it.each([
  ['damaged', 'torn', 1],
  ['of a newer version', '{"format":"docker-volume-scaleio known hosts","version":2,"sha256":"x"}\nx\n', 0],
])('a file that is %s is told; a newer one stays as it is', async (_, text, writes) => {
  const files = new FakeDisk();
  await files.writeAtomic(file, Buffer.from(text));
  const disk = files.restart();
  const { hosts, log } = await open(disk);
  expect(log.lines).toMatchObject([{ level: 'warn' }]);
  hosts.remember(one, HOST);
  await hosts.close();
  expect([hosts.lastKnown(one), disk.writes]).toEqual([HOST, writes]);
});

it('survives a disk that takes nothing, and warns once', async () => {
  const { hosts, files, log } = await open();
  files.writeAtomic = () => Promise.reject(diskError('ENOSPC', 'no space left'));
  hosts.remember(one, HOST);
  await hosts.close();
  await hosts.close();
  expect(hosts.lastKnown(one)).toEqual(HOST);
  expect(log.lines).toMatchObject([{ level: 'warn' }]);
});
