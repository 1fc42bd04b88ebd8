import { describe, expect, it } from 'vitest';
import { failoverOf, ownPolicyOf, readLabel, type VolumeLabel } from '../../../src/volumes/options/label.ts';
import { parseLabelAs010 } from './label-reader-0.1.0.ts';
import { World } from './world/world.ts';

const before: VolumeLabel = {
  version: 1,
  name: 'db',
  fs: 'xfs',
  mountOptions: ['noatime'],
  subpath: 'data',
  iops: 100,
  bandwidthKiBps: 0,
  failover: 'never',
  requestedKiB: 8_388_608,
};
const label: VolumeLabel = { ...before, volumeId: '72ce476b00000002' };

describe('a label', () => {
  it('is read as it was written, with or without the id', () => {
    for (const written of [label, before])
      expect(readLabel(JSON.stringify(written))).toEqual({ kind: 'label', label: written });
  });

  it('of a newer plugin that an older one may mount keeps what that one added', () => {
    const future = { ...label, tier: { name: 'gold' }, compression: true };
    const reading = readLabel(JSON.stringify(future));
    expect(reading).toEqual({ kind: 'label', label: future });
  });

  it('with a policy that only a newer plugin knows counts as the strictest, and keeps it', () => {
    const reading = readLabel(JSON.stringify({ ...label, failover: 'quorum' }));
    if (reading.kind !== 'label') throw new Error(reading.kind);
    expect(reading.label.failover).toBe('quorum');
    expect(failoverOf(reading.label)).toBe('never');
    for (const policy of ['never', 'disconnected', 'idle', 'always', 'default'])
      expect(failoverOf({ failover: policy })).toBe(policy);
  });

  it('without an id is of the volume that it was read from, and one of another id is not', () => {
    const policyOf = (written: VolumeLabel) => ownPolicyOf({ volumeId: '72ce476b00000002', label: written });
    expect(policyOf(before)).toBe('never');
    expect(policyOf(label)).toBe('never');
    expect(policyOf({ ...label, volumeId: 'ffffffff00000009' })).toBeUndefined();
    expect(policyOf({ ...label, failover: 'default' })).toBeUndefined();
    expect(policyOf({ ...label, failover: 'quorum' })).toBe('never');
  });

  it('that an older plugin must not mount is newer, whatever else it holds', () => {
    const newer = { version: 2, needs: '0.4.0', encryption: 'luks2' };
    expect(readLabel(JSON.stringify(newer))).toEqual({ kind: 'newer', version: 2, needs: '0.4.0' });
    expect(readLabel('{"version":3,"needs":7}')).toEqual({ kind: 'newer', version: 3, needs: undefined });
  });

  it.each([
    ['{"version":1', 'it is no JSON'],
    ['', 'it is no JSON'],
    ['null', 'all of it'],
    [JSON.stringify({ ...label, fs: 'f2fs' }), 'fs'],
    [JSON.stringify({ ...label, version: '2' }), 'version'],
    [JSON.stringify({ ...label, subpath: undefined }), 'subpath'],
  ])('that is not one is unreadable, never none: %s', (text, why) => {
    expect(readLabel(text)).toMatchObject({
      kind: 'unreadable',
      why: expect.stringContaining(why) as string,
    });
  });

  it('written by this version is read by 0.1.0 with every option', async () => {
    const world = new World();
    const options = { fs: 'ext4', mount: 'commit=30', subpath: 'data', iops: '100', failover: 'never' };
    await world.run(world.host(1).life.create('db', options));
    const written = world.content('db').label;
    expect(written?.volumeId).toBe(world.volume('db').id);
    // Of an option that is younger it knows nothing, and keeps to the others.
    expect(written).toMatchObject(parseLabelAs010(JSON.stringify(written)));
  });
});
