import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/hosts/until.ts';
import { bundleFile } from '../../plugin/bundle.ts';
import { readContent } from '../../src/journal/journal-content.ts';
import { PowerCuts, type CutDisk } from './power-cuts.ts';
import { ScaleioHost } from './scaleio-host.ts';

const GIB = 1024 ** 3;
const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const settings = {
  SCALEIO_ENDPOINT: 'http://127.0.0.1:1',
  SCALEIO_USERNAME: 'nobody',
  SCALEIO_PASSWORD: 'unused',
  SCALEIO_GUID: 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50',
  SCALEIO_HOST_MOUNTINFO: '/proc/self/mountinfo',
};
const rows = 25;
const turns = 6;
/** Of the moments at which the power goes. */
const seed = 20_261_128;

/**
 * Journal, array and a database on one of its volumes lie on one disk, whose writes dm-log-writes records with what was acknowledged in
 * between. Then the power is cut at many moments of that record.
 */
const underneath = (disk: string, log: string): string => `
  modprobe --all dm-log-writes loop
  dmsetup create torn --table "0 $(blockdev --getsz ${disk}) log-writes ${disk} ${log}"
  mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/torn
  mkdir -p /torn /var/lib/array /var/lib/docker-volume-scaleio
  mount /dev/mapper/torn /torn
  mkdir -m 700 /torn/array /torn/state
  mount --bind /torn/array /var/lib/array
  mount --bind /torn/state /var/lib/docker-volume-scaleio`;

describe('a disk whose power is cut in the middle of its writes', () => {
  let directory: string;
  let cuts: PowerCuts;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'dvs-torn-'));
    const host = await ScaleioHost.start({
      disks: { disk: '2G', log: '4G' },
      prepare: (machine) => machine.shell(underneath(machine.disk('disk'), machine.disk('log'))),
    });
    try {
      const mark = (text: string): Promise<string> =>
        host.machine.exec(['dmsetup', 'message', 'torn', '0', 'mark', text]);
      await host.create('db', { fs: 'ext4' });
      await host.create('turn', { fs: 'ext4' });
      const mountpoint = await host.mount('db');
      await mark('begin');
      const writing = host.machine.exec([
        ...['node', '/run/payload/ledger.cjs', `${mountpoint}/ledger`, `${rows}`, 'torn'],
      ]);
      for (let turn = 1; turn <= turns; turn += 1) {
        await mark(`mounting-${turn}`);
        await host.mount('turn', `holder-${turn}`);
        await mark(`mounted-${turn}`);
        await mark(`unmounting-${turn}`);
        await host.unmount('turn', `holder-${turn}`);
        await mark(`unmounted-${turn}`);
      }
      await writing;
      await mark('end');
      await host.machine.shell(`blockdev --flushbufs ${host.machine.disk('log')}; sync`);
      const log = path.join(directory, 'log.img');
      await execa('cp', ['--sparse=always', path.join(host.machine.directory, 'log.img'), log]);
      cuts = await PowerCuts.read({ directory, log, sizeBytes: 2 * GIB }, randomFrom(seed));
    } finally {
      await host.close();
    }
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Mounts a file as a disk for as long as the look takes. */
  async function mounted<T>(file: string, name: string, look: (at: string) => Promise<T>): Promise<T> {
    const at = path.join(directory, name);
    await mkdir(at, { recursive: true });
    await execa('mount', ['-o', 'loop', file, at]);
    try {
      return await look(at);
    } finally {
      await execa('umount', [at]);
    }
  }

  async function assertJournal(at: string, { marks, after }: CutDisk): Promise<void> {
    const content = readContent(await readFile(path.join(at, 'state/state/journal'), 'utf8'), 'another boot');
    expect('entries' in content ? 'usable' : content.why, `after ${after} writes`).toBe('usable');
    if (!('entries' in content)) return;
    expect(content.entries.has('db'), `after ${after} writes`).toBe(true);
    const turn = marks.findLast((mark) => /ing-|ed-/.test(mark)) ?? '';
    if (turn.startsWith('mounted-'))
      expect(content.entries.has('turn'), `after ${after}: ${turn}`).toBe(true);
    if (turn.startsWith('unmounted-'))
      expect(content.entries.has('turn'), `after ${after}: ${turn}`).toBe(false);
  }

  async function assertLedger(at: string, { marks, after }: CutDisk): Promise<number> {
    const acknowledged = marks.filter((mark) => mark.startsWith('row-')).length;
    const files = path.join(at, 'array/volumes');
    const found: number[] = [];
    for (const id of await readdir(files)) {
      const stored = await mounted(path.join(files, id), 'volume', (volume) =>
        rowsIn(path.join(volume, 'ledger')),
      );
      if (stored !== undefined) found.push(stored);
    }
    expect(Math.max(0, ...found), `after ${after} writes`).toBeGreaterThanOrEqual(acknowledged);
    return acknowledged;
  }

  /** Rows without a gap from 1 on, in a database that is whole; undefined where there is none. */
  async function rowsIn(file: string): Promise<number | undefined> {
    if (!(await readdir(path.dirname(file))).includes(path.basename(file))) return undefined;
    const read = new DatabaseSync(file);
    try {
      expect(read.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      if (read.prepare("SELECT 1 FROM sqlite_master WHERE name = 'ledger'").get() === undefined) return 0;
      const { count, last } = read
        .prepare('SELECT count(*) AS count, coalesce(max(n), 0) AS last FROM ledger')
        .get() as { count: number; last: number };
      expect(count).toBe(last);
      return count;
    } finally {
      read.close();
    }
  }

  /** The program itself, on the journal that was left; no array answers it. */
  async function assertStarts(at: string, { after }: CutDisk): Promise<void> {
    const log = path.join(directory, 'plugin.log');
    const mounts = path.join(directory, 'mounts');
    const places = ['--socket', path.join(directory, 's.sock'), '--mount-root', mounts];
    await writeFile(log, '');
    const plugin = execa(
      node,
      [bundleFile, 'serve', ...places, '--state-dir', path.join(at, 'state/state')],
      { env: settings, reject: false, stdin: 'ignore', stdout: { file: log }, stderr: { file: log } },
    );
    try {
      await until(`the plugin to listen after ${after} writes (${log})`, async () =>
        (await readFile(log, 'utf8')).includes('"listening"'),
      );
      expect(await readFile(log, 'utf8')).not.toMatch(/"level":"error"|set aside|no journal yet/);
    } finally {
      plugin.kill('SIGTERM');
      await plugin;
      await execa('umount', ['--recursive', mounts], { reject: false });
    }
  }

  test('leaves a plugin that starts on its journal', async () => {
    const first = cuts.afterMark('mounted-1');
    for await (const cut of cuts.at(cuts.moments(first, 4)))
      await mounted(cut.file, 'disk', (at) => assertStarts(at, cut));
  });

  test('keeps the journal and each row that a database was told is stored, whenever that is', async () => {
    const moments = cuts.moments(cuts.afterMark('begin'), 60);
    const seen: number[] = [];
    for await (const cut of cuts.at(moments)) {
      await mounted(cut.file, 'disk', async (at) => {
        await assertJournal(at, cut);
        seen.push(await assertLedger(at, cut));
      });
    }
    expect(seen.at(-1)).toBe(rows);
    expect(new Set(seen).size).toBeGreaterThan(rows / 3);
  });
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
