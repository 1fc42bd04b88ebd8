import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { trashName } from '../../../src/volumes/trash/trash-names.ts';
import { newVolume, PASSWORD, simulated, soon } from '../gateway/simulated.ts';

const LONG = 'a-name-of-many-characters';
const AT = Date.parse('2026-11-28T21:15:00Z');

/** "db" and a volume of a long name were removed, and what another prefix removed; no plugin runs here. */
async function scene(version: '2.6' | '3.6' | '4.5') {
  const { simulator, gateway } = await simulated({ version });
  const trashed = async (prefix: string, name: string): Promise<string> => {
    const id = await gateway.createVolume(await newVolume(gateway, `x-${prefix}${name.slice(0, 8)}`), soon());
    await gateway.renameVolume(id, trashName(prefix, name, id, AT), soon());
    return id;
  };
  const ids = { db: await trashed('docker-', 'db'), long: await trashed('docker-', LONG) };
  await trashed('swarm-', 'db');
  const stateDir = await mkdtemp(path.join(tmpdir(), 'trash-command-'));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const run = async (...args: readonly string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine({
      argv: ['volume', ...args],
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
        SCALEIO_STATE_DIR: stateDir,
        SCALEIO_REMOVE_GRACE: '24h',
      },
      pid: 1,
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      ask: undefined,
      onSignal: () => undefined,
    });
    return { code, out: out.join(''), err: err.join('') };
  };
  return { gateway, ids, run };
}

describe.each(['2.6', '3.6', '4.5'] as const)('at an array of version %s', (version) => {
  test('the trash is listed, and a volume comes back from it by name, by id and under another name', async () => {
    const { gateway, ids, run } = await scene(version);
    const table = await run('trash');
    const when: readonly unknown[] = [
      expect.stringMatching(/^(\d+ \w+ ago|just now)$/),
      expect.stringMatching(/^(in \d+ \w+|now)$/),
    ];
    expect(table.out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'REMOVED', 'ERASED', 'SIZE', 'ID', 'STATE'],
      ['db', ...when, '16 GiB', ids.db, 'kept'],
      ['a-nam…', ...when, '16 GiB', ids.long, 'kept'],
      [''],
    ]);
    const listed: unknown = JSON.parse((await run('trash', '--json')).out);
    expect(listed).toMatchObject([
      {
        name: 'db',
        isWholeName: true,
        removed: '2026-11-28T21:15:00.000Z',
        erasedFrom: '2026-11-29T21:16:00.000Z',
      },
      { id: ids.long, isWholeName: false },
    ]);
    expect(await run('undelete', 'nothing')).toMatchObject({ code: 3 });
    expect((await run('undelete', ids.long)).err).toContain('say with --as what it shall be called');
    expect((await run('undelete', LONG)).out).toBe(`volume "${LONG}" (${ids.long}) is back\n`);
    const back: unknown = JSON.parse((await run('undelete', ids.db, '--as', 'old', '--json')).out);
    expect(back).toEqual({ name: 'old', volumeId: ids.db });
    expect((await run('trash')).out).toBe('the trash is empty\n');
    expect((await gateway.getVolume(ids.db as never, soon()))?.name).toBe('docker-old');
  });
});

test('what takes a plugin to be seen through is refused where none runs, and nothing happens without a yes', async () => {
  const { run } = await scene('3.6');
  expect(await run('rm', 'db')).toMatchObject({ code: 9 });
  expect((await run('rm', 'db')).err).toContain('none runs here');
  expect((await run('rm', 'db', '--now')).err).toContain('needs --yes');
  expect((await run('trash', 'erase', 'db')).err).toContain('needs --yes');
  expect((await run('trash', 'erase', 'db', '--yes')).err).toContain('none runs here');
  expect((await run('trash', 'erase', 'nothing', '--yes')).err).toContain('"volume trash" lists what is');
});
