import { asVolumeId, asHostId } from '../../../src/array/ids.ts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FENCES_FILE, openFenceLog } from '../../../src/journal/fence-log.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { KnownVolumes } from '../../../src/journal/known-volumes.ts';
import type { FenceRecord } from '../../../src/volumes/ports.ts';
import { FakeClock, FakeDisk, fakeLog, hostVolume, knownVolume } from './fake-disk.ts';

const dir = '/state';
const bootId = 'boot-1';

function open(disk: FakeDisk) {
  const log = fakeLog();
  const ports = { dir, files: disk, clock: new FakeClock(), log };
  return {
    log,
    journal: () => openJournal({ ...ports, bootId, pid: 100 }),
    known: () => KnownVolumes.open(ports),
    fences: () => openFenceLog(ports),
  };
}

/** As a newer program would have written it: what follows the header changed, the checksum right. */
function rewritten(text: string, change: (body: string) => string, version = 1): string {
  const end = text.indexOf('\n');
  const body = change(text.slice(end + 1));
  const { format } = JSON.parse(text.slice(0, end)) as { format: string };
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${JSON.stringify({ format, version, sha256 })}\n${body}`;
}

function change(disk: FakeDisk, name: string, with_: (text: string) => string): string {
  const text = with_(disk.contents.get(`${dir}/${name}`) ?? '');
  disk.contents.set(`${dir}/${name}`, text);
  return text;
}

async function journalOf(...entries: ReturnType<typeof hostVolume>[]): Promise<FakeDisk> {
  const disk = new FakeDisk();
  const journal = await open(disk).journal();
  await journal.rebuilt();
  for (const entry of entries) await journal.put(entry);
  await journal.close();
  return disk.restart();
}

const addTier = (body: string): string => body.replace('"phase":', '"tier":{"name":"gold"},"phase":');

describe('a journal that a newer plugin wrote', () => {
  it.each<[string, (text: string) => string]>([
    ['in another format', (text) => rewritten(text, (body) => body.replaceAll('"', "'"), 2)],
    ['with a phase of its own', (text) => rewritten(text, (body) => body.replace('"mounted"', '"frozen"'))],
    ['without a field', (text) => rewritten(text, (body) => body.replace('"holders"', '"users"'))],
  ])('%s stops the start and stays as it is, with nothing held back', async (_what, newer) => {
    const disk = await journalOf(hostVolume('db'));
    const text = change(disk, 'journal', newer);
    const before = [...disk.contents.keys()];
    await expect(open(disk).journal()).rejects.toMatchObject({
      code: 'NEWER_VERSION',
      message: expect.stringMatching(
        /a newer plugin wrote it\. It is left as it is, .* start the version/,
      ) as string,
    });
    expect(disk.contents.get('/state/journal')).toBe(text);
    expect([...disk.contents.keys()]).toEqual(before);
  });

  it('keeps what that added to an entry of the same volume, and of no other', async () => {
    const disk = await journalOf(hostVolume('db', { holders: [] }));
    change(disk, 'journal', (text) => rewritten(text, addTier));
    const journal = await open(disk).journal();
    expect(journal.get('db')).toEqual({ ...hostVolume('db', { holders: [] }), tier: { name: 'gold' } });
    await journal.put(hostVolume('db', { phase: 'releasing' }));
    await journal.close();
    const later = disk.restart();
    const again = await open(later).journal();
    const kept = { ...hostVolume('db', { phase: 'releasing' }), tier: { name: 'gold' } };
    expect(again.get('db')).toEqual(kept);
    await again.put(hostVolume('db', { volumeId: asVolumeId('ffffffff00000009') }));
    expect(again.get('db')).toEqual(hostVolume('db', { volumeId: asVolumeId('ffffffff00000009') }));
  });

  it('takes a field away that this plugin knows and left out', async () => {
    const disk = await journalOf(hostVolume('db', { hostId: asHostId('a'), heldSince: 'b' }));
    const journal = await open(disk).journal();
    await journal.put(hostVolume('db'));
    expect(journal.get('db')).toEqual(hostVolume('db'));
  });
});

describe('known volumes that a newer plugin wrote', () => {
  async function written(): Promise<FakeDisk> {
    const disk = new FakeDisk();
    const known = await open(disk).known();
    known.remember(knownVolume('a'));
    await known.close();
    return disk.restart();
  }

  it('in another format are not used and not overwritten', async () => {
    const disk = await written();
    const text = change(disk, 'known-volumes', (old) => rewritten(old, (body) => body, 2));
    const { known, log } = open(disk);
    const volumes = await known();
    expect(volumes.all()).toEqual([]);
    volumes.remember(knownVolume('b'));
    volumes.forget('a');
    expect(volumes.get('b')).toEqual(knownVolume('b'));
    await volumes.close();
    expect(disk.contents.get('/state/known-volumes')).toBe(text);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'known volumes are not used and left as they are',
    ]);
  });

  it('keep what that added, to the volume and to its label', async () => {
    const disk = await written();
    const add = (body: string): string =>
      body
        .replace('"arrayName"', '"tier":"gold","arrayName"')
        .replace('"subpath"', '"color":"red","subpath"');
    change(disk, 'known-volumes', (old) => rewritten(old, add));
    const volumes = await open(disk).known();
    const seen = volumes.get('a');
    expect(seen).toMatchObject({ tier: 'gold', label: { color: 'red' } });
    volumes.remember(knownVolume('a', { sizeKiB: 1, label: seen?.label }));
    await volumes.close();
    const again = await open(disk.restart()).known();
    expect(again.get('a')).toMatchObject({ tier: 'gold', sizeKiB: 1, label: { color: 'red' } });
  });

  it('keep the line of one that cannot be read here', async () => {
    const disk = await written();
    const newer = (body: string): string => body.replace('"fs":"xfs"', '"fs":"f2fs"');
    change(disk, 'known-volumes', (old) => rewritten(old, newer));
    const volumes = await open(disk).known();
    expect(volumes.get('a')).toBeUndefined();
    volumes.remember(knownVolume('b'));
    await volumes.close();
    expect(disk.contents.get('/state/known-volumes')).toContain('"fs":"f2fs"');
  });
});

describe('fences that a newer plugin wrote', () => {
  const fence: FenceRecord = {
    at: '2024-01-02T03:04:05.000Z',
    volume: 'db',
    volumeId: asVolumeId('72ce476b00000002'),
    by: 'sdc-b',
    byName: 'host-b',
    from: 'sdc-a',
    fromName: 'host-a',
    policy: 'disconnected',
    holderState: 'disconnected',
    recentIo: null,
    durationMs: 1,
    outcome: 'taken',
  };

  async function written(): Promise<FakeDisk> {
    const disk = new FakeDisk();
    const fences = await open(disk).fences();
    fences.record(fence);
    fences.record({ ...fence, volume: 'web' });
    await fences.close();
    return disk.restart();
  }

  it('in another format are not used and not overwritten', async () => {
    const disk = await written();
    const text = change(disk, FENCES_FILE, (old) => rewritten(old, (body) => body, 2));
    const fences = await open(disk).fences();
    fences.record(fence);
    expect(fences.recentOf(fence.volumeId, Infinity)).toEqual([fence]);
    await fences.close();
    expect(disk.contents.get(`/state/${FENCES_FILE}`)).toBe(text);
  });

  it('keep records that cannot be read here, and use the others', async () => {
    const disk = await written();
    const newer = (body: string): string => body.replace('"outcome":"taken"', '"outcome":"shared"');
    change(disk, FENCES_FILE, (old) => rewritten(old, newer));
    const fences = await open(disk).fences();
    expect(fences.recentOf(fence.volumeId, Infinity)).toEqual([{ ...fence, volume: 'web' }]);
    fences.record(fence);
    await fences.close();
    const text = disk.contents.get(`/state/${FENCES_FILE}`) ?? '';
    expect(text).toContain('"outcome":"shared"');
    expect((await open(disk.restart()).fences()).recentOf(fence.volumeId, Infinity)).toHaveLength(2);
  });
});
