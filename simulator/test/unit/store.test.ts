import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SystemRecord } from '../../src/mdm/records.ts';
import { StateStore } from '../../src/store/state-store.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'simulator-store-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function open(dir: string, journalBytes = 1e6): Promise<StateStore> {
  return StateStore.open({ dir, durability: 'machine', journalBytes });
}

function system(id: string): SystemRecord {
  return { id, name: 'x'.repeat(50), installId: '', mdmIps: [], restrictedSdcMode: 'None', installedAt: 0 };
}

async function put(store: StateStore, ...ids: string[]): Promise<void> {
  await store.transact(() => {
    for (const id of ids) store.state.systems.put(system(id));
  }).saved;
}

async function idsIn(dir: string): Promise<string[]> {
  const store = await open(dir);
  const ids = [...store.state.systems.values()].map(({ id }) => id);
  await store.close();
  return ids.sort();
}

describe('what is saved comes back', () => {
  test('puts and deletes, over several openings', async () => {
    const dir = await folder();
    const store = await open(dir);
    await put(store, 'a', 'b');
    await store.transact(() => {
      store.state.systems.delete('a');
    }).saved;
    await store.close();
    const again = await open(dir);
    await put(again, 'c');
    await again.close();
    expect(await idsIn(dir)).toEqual(['b', 'c']);
  });

  test('through snapshots made while changes go on, leaving one snapshot and one journal', async () => {
    const dir = await folder();
    const store = await open(dir, 2000);
    const ids = Array.from({ length: 300 }, (_, number) => String(number).padStart(3, '0'));
    await Promise.all(ids.map((id) => put(store, id)));
    await store.compact();
    await put(store, 'last');
    await store.close();
    expect(await idsIn(dir)).toEqual([...ids, 'last']);
    const names = await readdir(dir);
    expect(names.filter((name) => name.startsWith('snapshot.'))).toHaveLength(1);
    expect(names.filter((name) => name.startsWith('journal.'))).toHaveLength(1);
  });

  test('a change that fails is neither seen nor saved', async () => {
    const dir = await folder();
    const store = await open(dir);
    expect(() =>
      store.transact(() => {
        store.state.systems.put(system('a'));
        throw new Error('refused');
      }),
    ).toThrow('refused');
    expect(store.state.systems.size).toBe(0);
    await store.close();
    expect(await idsIn(dir)).toEqual([]);
  });
});

describe('a torn end', () => {
  async function journalOf(dir: string): Promise<string> {
    const name = (await readdir(dir)).find((candidate) => candidate.startsWith('journal.'));
    return join(dir, name ?? '');
  }

  test('at every byte: the changes before it are whole, and the next one is kept', async () => {
    const dir = await folder();
    const store = await open(dir);
    await put(store, 'a');
    await put(store, 'b');
    await store.close();
    const journal = await journalOf(dir);
    const whole = await readFile(journal);
    const firstLine = whole.indexOf(10) + 1;
    for (let length = whole.length - 1; length >= 0; length -= 7) {
      await writeFile(journal, whole);
      await truncate(journal, length);
      const reopened = await open(dir);
      const kept = [...reopened.state.systems.values()].map(({ id }) => id);
      expect(kept).toEqual(length >= firstLine ? ['a'] : []);
      await put(reopened, 'c');
      await reopened.close();
      expect(await idsIn(dir)).toEqual([...kept, 'c']);
    }
  });

  test('garbage after the end is cut off', async () => {
    const dir = await folder();
    const store = await open(dir);
    await put(store, 'a');
    await store.close();
    await appendFile(await journalOf(dir), '00000000 [["systems","z",{"id":"z"}]]\n\0\0\0');
    expect(await idsIn(dir)).toEqual(['a']);
  });

  test('a snapshot that was not finished does not count', async () => {
    const dir = await folder();
    const store = await open(dir);
    await put(store, 'a');
    await store.compact();
    await store.close();
    await writeFile(join(dir, 'snapshot.9.new'), 'half');
    expect(await idsIn(dir)).toEqual(['a']);
  });

  test('a damaged snapshot is not silently read as less', async () => {
    const dir = await folder();
    const store = await open(dir);
    await put(store, 'a', 'b');
    await store.compact();
    await store.close();
    const snapshot = join(dir, 'snapshot.1');
    const text = await readFile(snapshot, 'utf8');
    await writeFile(snapshot, text.replace('"a"', '"q"'));
    await expect(open(dir)).rejects.toThrow('damaged');
    await writeFile(snapshot, text.split('\n').slice(0, 1).join('\n'));
    await expect(open(dir)).rejects.toThrow('ends early');
  });
});

test.each(['process', 'machine'])(
  'kill -9 again and again loses nothing that was acknowledged (%s)',
  async (durability) => {
    const dir = await folder();
    const acknowledged: string[] = [];
    for (const target of [5, 60, 200, 17]) {
      const writer = spawn(process.execPath, [join(import.meta.dirname, 'store-writer.ts'), dir, durability]);
      const lines = createInterface({ input: writer.stdout });
      let seen = 0;
      lines.on('line', (line) => {
        acknowledged.push(line);
        seen += 1;
        if (seen === target) writer.kill('SIGKILL');
      });
      await once(lines, 'close');
      expect(seen).toBeGreaterThanOrEqual(target);
    }
    const store = await open(dir);
    const volumes = [...store.state.volumes.values()].map(({ id }) => id);
    await store.close();
    expect(acknowledged.filter((id) => !volumes.includes(id))).toEqual([]);
    expect(volumes.length - acknowledged.length).toBeLessThanOrEqual(4);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
  },
);
