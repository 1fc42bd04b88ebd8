import { asHostId, asVolumeId } from '../../../src/array/ids.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openJournal } from '../../../src/journal/journal.ts';
import { KnownVolumes } from '../../../src/journal/known-volumes.ts';
import { recordedVolume } from '../../../src/volumes/host-volume.ts';
import { markerName } from '../../../src/volumes/naming.ts';
import { readLabel } from '../../../src/volumes/options/label.ts';
import { trashName } from '../../../src/volumes/trash/trash-names.ts';
import { FakeClock, FakeDisk, fakeLog, hostVolume } from './fake-disk.ts';

/*
 * Rule 19 across versions: bytes as version 0.1.0 wrote them on a host with one of its three volumes mounted, and what it took for a
 * journal. Its schema is word for word as it was shipped; it used what it knew and dropped the rest. Both builds were run on each
 * other's volumes and state once, with all three file systems; this is what can be kept of it.
 */

const dir = '/state';
const bootId = '75af0f74-30ab-4e2d-b2cb-417cf6d52982/9';

const TRASHED = trashName('docker-', 'db', asVolumeId('72ce476b00000002'), 0);
const ERASED = trashName('docker-', 'old', asVolumeId('72ce476b00000003'), 0);
const MARKER = markerName('always', asVolumeId('72ce476b00000002'));

const entryOf010 = z.object({
  name: z.string(),
  arrayName: z.string(),
  volumeId: z.string(),
  systemId: z.string(),
  phase: z.enum(['creating', 'mounting', 'mounted', 'releasing']),
  holders: z.array(z.string()),
  mountpoint: z.string(),
  since: z.string(),
  sdcId: z.string().optional(),
  heldSince: z.string().optional(),
});

function stateOf010(): FakeDisk {
  const disk = new FakeDisk();
  for (const name of ['journal', 'known-volumes'])
    disk.contents.set(
      `${dir}/${name}`,
      readFileSync(path.join(import.meta.dirname, 'written-by-0.1.0', name), 'utf8'),
    );
  return disk;
}

function portsOn(disk: FakeDisk) {
  return { dir, files: disk, clock: new FakeClock(), log: fakeLog() };
}

test('its journal is read, and its mount is held on', async () => {
  const journal = await openJournal({ ...portsOn(stateOf010()), bootId, pid: 100 });
  expect(journal.all()).toEqual([
    {
      name: 'oldext4',
      arrayName: 'docker-oldext4',
      volumeId: '3397b3d000000004',
      systemId: '4114a83449717e2b',
      phase: 'mounted',
      holders: ['a'],
      mountpoint: '/tmp/dvs-stack-Pmt8pm/mounts/docker-oldext4',
      since: '2026-11-28T10:15:56.712Z',
      hostId: '7668ca3800000000',
      heldSince: '2026-11-28T10:15:56.712Z',
    },
  ]);
  expect(journal.mustRebuild).toBe(false);
});

test('its known volumes and their labels are read with every option', async () => {
  const known = await KnownVolumes.open(portsOn(stateOf010()));
  const labels = known.all().map(({ label }) => label);
  const options = {
    mountOptions: ['noatime'],
    subpath: 'data',
    iops: 1000,
    bandwidthKiBps: 0,
    failover: 'never',
  };
  expect(labels).toEqual(
    ['btrfs', 'xfs', 'ext4'].map((fs) => ({
      version: 1,
      name: `old${fs}`,
      fs,
      ...options,
      requestedKiB: 16_777_216,
    })),
  );
  // The label on the file system is the same text.
  for (const label of labels) expect(readLabel(JSON.stringify(label))).toEqual({ kind: 'label', label });
});

test('it reads a journal of this version', async () => {
  const disk = new FakeDisk();
  const journal = await openJournal({ ...portsOn(disk), bootId, pid: 100 });
  const entries = [
    hostVolume('intended', {
      phase: 'mounting',
      holders: [],
      attachment: 'intended',
      hostId: asHostId('7668ca3800000000'),
    }),
    hostVolume('found', { phase: 'mounting', attachment: 'found', earlierBoot: true }),
    hostVolume('mounted'),
    recordedVolume({ ...hostVolume(MARKER), arrayName: MARKER, phase: 'unmarking', holders: [] }),
    recordedVolume({ ...hostVolume(TRASHED), arrayName: TRASHED, phase: 'trashed', holders: [] }),
    recordedVolume({ ...hostVolume(ERASED), arrayName: ERASED, phase: 'erasing', holders: [] }),
  ];
  for (const entry of entries) await journal.put(entry);
  await journal.close();
  const [header = '', about = '', ...lines] = (disk.contents.get(`${dir}/journal`) ?? '')
    .trimEnd()
    .split('\n');
  expect(JSON.parse(header)).toMatchObject({ format: 'docker-volume-scaleio journal', version: 1 });
  expect(JSON.parse(about)).toEqual({ bootId, mustRebuild: true });
  const read = lines.map((line) => entryOf010.parse(JSON.parse(line)));
  // A marker that is to be removed was no state of its own: it is told by the name of an unfinished volume.
  // What is in the trash is to it a volume that others attached: forgotten where it is attached no more, and never removed.
  const ofTrash = { phase: 'releasing', mapping: 'found' };
  const then = entries.map(({ hostId, ...same }) => ({
    ...same,
    phase: same.phase === 'unmarking' ? 'creating' : same.phase,
    sdcId: hostId,
    ...(same.phase === 'trashed' || same.phase === 'erasing' ? ofTrash : {}),
  }));
  expect(read).toEqual(then.map((entry) => entryOf010.parse(entry)));
  const again = await openJournal({ ...portsOn(disk), bootId, pid: 100 });
  expect(again.all()).toEqual(entries);
});
