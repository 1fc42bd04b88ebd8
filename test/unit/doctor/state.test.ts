import { describe, expect, test } from 'vitest';
import { judgeState, type HostState } from '../../../src/doctor/state-check.ts';
import { recordedVolume, type VolumeRecord } from '../../../src/volumes/host-volume.ts';
import { markerName, provisionalName } from '../../../src/volumes/naming.ts';
import { asArrayName, asSystemId, asVolumeId, type VolumeId } from '../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../src/array/volume.ts';

const GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
const record: VolumeRecord = {
  name: 'db',
  arrayName: asArrayName('docker-db'),
  volumeId: asVolumeId('v1'),
  systemId: asSystemId('s'),
  phase: 'mounted',
  holders: ['h'],
  mountpoint: '/m/docker-db',
  since: '2026-01-01T00:00:00Z',
};
const entry = recordedVolume(record);
const MARKER = markerName('always', asVolumeId('72ce476b00000002'));
const volume = (id: string, name: string) => ({ id, name }) as ArrayVolume;
const well: HostState = {
  journal: [entry],
  journalTrouble: undefined,
  droppedRestores: [],
  mountpoints: ['/m/docker-db'],
  linked: ['v1' as VolumeId],
  deadLinks: [],
  mapped: [volume('v1', 'docker-db')],
  users: new Map(),
  doubt: undefined,
  guid: GUID,
  prefix: 'docker-',
};

describe('journal, kernel and array', () => {
  test('agree', () => {
    expect(judgeState(well)).toMatchObject([
      { severity: 'ok', says: expect.stringContaining('1 mounted, 1 mapped') as string },
    ]);
  });

  test.each<[string, Partial<HostState>, string, string]>([
    ['no journal', { journal: undefined, journalTrouble: 'its checksum is wrong' }, 'journal', 'checksum'],
    [
      'half done',
      { journal: [recordedVolume({ ...record, phase: 'releasing' })] },
      'unfinished',
      'volume "db" is releasing since 2026-01-01',
    ],
    [
      'half removed',
      { journal: [recordedVolume({ ...record, name: MARKER, phase: 'unmarking' })] },
      'unfinished',
      `marker "${MARKER}" of a removed volume is to be removed since 2026-01-01`,
    ],
    [
      'a restore that nobody repeats',
      {
        droppedRestores: [
          {
            at: '2026-11-29T01:00:00Z',
            volume: 'db',
            volumeId: record.volumeId,
            snapshot: 'before',
            keptAs: 'undo-1129-005900',
            why: 'this host has booted since',
          },
        ],
      },
      'dropped restore',
      'the restore of volume "db" to "db@before" was cut short on 2026-11-29T01:00:00Z and is not repeated, because this host has booted',
    ],
    ['not mounted', { mountpoints: [] }, 'missing mount', '"db"'],
    ['device gone', { linked: [] }, 'dead mount', '"db"'],
    [
      'mounted without journal',
      { mountpoints: ['/m/docker-db', '/m/docker-x'] },
      'stale mount',
      '/m/docker-x',
    ],
    ['taken by another host', { mapped: [], linked: [] }, 'lost volume', '"db"'],
    [
      'mapped by somebody else',
      {
        mapped: [...well.mapped, volume('v2', 'docker-y')],
        users: new Map([['v2', 'process 7 "qemu" has it open']]),
      },
      'unclaimed mapping',
      'volume "y" is mapped here, which this plugin did not do; process 7 "qemu" has it open',
    ],
    [
      'mapped by somebody else without device',
      { mapped: [...well.mapped, volume('v2', 'docker-y')] },
      'unclaimed mapping',
      'its device is not here',
    ],
    ['one GUID on two machines', { doubt: 'the array has the SDC elsewhere' }, 'identity', 'elsewhere'],
    [
      'unfinished volume',
      { mapped: [...well.mapped, volume('v3', provisionalName(GUID, 'docker-', '01234567'))] },
      'left mapping',
      'an unfinished volume',
    ],
    ['link without device', { deadLinks: ['/dev/disk/by-id/emc-vol-s-v9'] }, 'stale link', 'emc-vol-s-v9'],
    ['device without mapping', { linked: [...well.linked, 'v9' as VolumeId] }, 'left device', 'v9'],
  ])('%s', (_, broken, check, says) => {
    const found = judgeState({ ...well, ...broken }).find((finding) => finding.check === check);
    expect(found?.says).toContain(says);
    expect(found?.fix).toMatch(/\w/);
    expect(found?.severity).not.toBe('ok');
  });

  test("what is mapped here by others than us is not the doctor's business", () => {
    expect(judgeState({ ...well, mapped: [...well.mapped, volume('v8', 'datastore')] })).toMatchObject([
      { severity: 'ok' },
    ]);
  });
});
