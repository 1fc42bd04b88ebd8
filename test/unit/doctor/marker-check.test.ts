import { expect, test } from 'vitest';
import { markerCheck } from '../../../src/doctor/marker-check.ts';
import { isUnmarked } from '../../../src/volumes/takeover/failover-marker.ts';
import type { ArrayVolume } from '../../../src/array/volume.ts';

const ID = '72ce476b00000002';
const volume = { id: ID, name: 'docker-db', familyId: 't', kind: 'thin' } as ArrayVolume;
const marker = { id: 'm', name: `~disconnected.${ID}`, familyId: 't', kind: 'snapshot' } as ArrayVolume;
const { signal } = new AbortController();

function check(
  family: readonly ArrayVolume[],
  policies: ReadonlyMap<string, { name: string; policy: 'never' }>,
) {
  const array = {
    volumesOfFamily: () => Promise.resolve([...family]),
    findVolumeId: () => Promise.resolve(undefined),
  };
  return markerCheck({
    isUnmarked: (one, until) => isUnmarked(array, one, until),
    mapped: () => Promise.resolve([volume]),
    readPolicies: () => Promise.resolve(policies),
  }).run(signal);
}
const never = new Map([[ID, { name: 'db', policy: 'never' as const }]]);

test('a failover marker that is gone is a warning with the command that puts it back', async () => {
  expect(await check([volume], never)).toEqual([
    {
      check: 'missing marker',
      severity: 'warning',
      says: expect.stringContaining('volume "db" was made with the failover policy "never"') as string,
      fix: 'put it back: docker-volume-scaleio volume failover db never',
    },
  ]);
});

test('one of another policy, or none where none is needed, is no finding', async () => {
  expect(await check([volume, marker], never)).toEqual([]);
  expect(await check([volume], new Map())).toEqual([]);
});
