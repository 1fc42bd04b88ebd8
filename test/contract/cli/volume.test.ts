import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { journalFiles } from '../../../src/journal/journal-files.ts';
import { openKnownHosts } from '../../../src/journal/known-hosts.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import type { Simulator } from 'scaleio-simulator';
import { rememberingHosts } from '../../../src/volumes/remembered-hosts.ts';
import { recordedVolume } from '../../../src/volumes/host-volume.ts';
import { asArrayName, asSystemId, type HostId } from '../../../src/array/ids.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { newVolume, PASSWORD, simulated, soon, twoSdcs } from '../gateway/simulated.ts';

/** "db" held by host one, "free" by nobody, "other-x" not ours; and the program with an answerer at its terminal. */
async function scene(holders: 'one' | 'both' = 'one') {
  const { simulator, gateway } = await simulated({ version: '3.6' });
  const { one, two } = await twoSdcs(simulator);
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await gateway.createVolume(await newVolume(gateway, 'docker-free'), soon());
  await gateway.createVolume(await newVolume(gateway, 'other-x'), soon());
  const readOnly = holders === 'both';
  if (readOnly) await gateway.limitToReadOnly(id, soon());
  await gateway.attachVolume({ volumeId: id, hostId: one, readOnly }, soon());
  if (readOnly) await gateway.attachVolume({ volumeId: id, hostId: two, readOnly }, soon());
  const stateDir = await mkdtemp(path.join(tmpdir(), 'volume-command-'));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const mapped = async (): Promise<HostId[]> =>
    ((await gateway.getVolume(id, soon()))?.attachments ?? []).map(({ hostId }) => hostId);
  return { simulator, gateway, one, two, id, mapped, stateDir, run: programOn(simulator, stateDir) };
}

interface Terminal {
  readonly columns: number;
  readonly env?: Readonly<Record<string, string>>;
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function programOn(simulator: Simulator, stateDir: string, more: Record<string, string> = {}) {
  return async (args: readonly string[], answer?: string, terminal?: Terminal): Promise<Ended> => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine({
      argv: ['volume', ...args],
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
        SCALEIO_STATE_DIR: stateDir,
        ...more,
        ...terminal?.env,
      },
      pid: 1,
      stdout: {
        write: (text) => out.push(text),
        isTTY: terminal !== undefined,
        columns: terminal?.columns,
      },
      stderr: { write: (text) => err.push(text) },
      ask: answer === undefined ? undefined : () => Promise.resolve(answer),
      onSignal: () => undefined,
    });
    return { code, out: out.join(''), err: err.join('') };
  };
}

describe('docker-volume-scaleio volume', () => {
  test('ls lists our volumes with their holders', async () => {
    const { run } = await scene();
    const { code, out } = await run(['ls']);
    expect(code).toBe(0);
    const rows = out.trimEnd().split('\n');
    expect(rows).toEqual([
      expect.stringMatching(/^NAME +SIZE +USED +FS +POOL +ACCESS +HELD BY +SINCE +LAST FENCE$/),
      expect.stringMatching(/^db +16 GiB +- +- +sp1 +read-write +.*10\.0\.0\.1\)? +unknown +-$/),
      expect.stringMatching(/^free +16 GiB +- +- +sp1 +read-write +- +- +-$/),
    ]);
    expect((await run(['list'])).out).toBe(out);
  });

  test('ls lists those that a filter wants, each as a template says, and asks nobody where it cannot be understood', async () => {
    const { run, id, simulator } = await scene();
    expect((await run(['ls', '--filter', 'held=false', '--format', '{{.Name}} {{.Pool}}'])).out).toBe(
      'free sp1\n',
    );
    const { out } = await run(['ls', '--filter', 'host=10.0.0.1', '--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({ name: 'db', id, pool: { name: 'sp1' } });
    simulator.requests.clear();
    for (const [wrong, near] of [
      [['--format', '{{.Nmae}}'], 'did you mean "Name"?'],
      [['--filter', 'pol=sp1'], 'did you mean "pool"?'],
      [['--format', 'json', '--json'], 'give one of them'],
    ] as const) {
      const { code, err } = await run(['ls', ...wrong]);
      expect([code, err]).toEqual([2, expect.stringContaining(near)]);
    }
    expect(simulator.requests.all()).toEqual([]);
  });

  test('what a command says to a terminal fits it, and a program gets all of it', async () => {
    const { gateway, run, one } = await scene();
    const name = 'a-host-with-a-name-of-31-letters';
    await gateway.registry.renameHost(one, name.slice(0, 31), soon());
    const whole = (await run(['ls'])).out;
    expect(whole).toContain(name.slice(0, 31));
    for (const [env, bold] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      const { out } = await run(['ls'], undefined, { columns: 80, env });
      const plain = stripVTControlCharacters(out);
      expect(out !== plain).toBe(bold);
      for (const line of plain.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      expect(plain).toContain('…');
    }
  });

  test('since when is told as an age, and a fence, too', async () => {
    const { run } = await scene();
    await run(['force-release', 'db', '--yes']);
    expect((await run(['ls'])).out).toMatch(
      /^db .* - +- +(just now|\d+ s ago), taken: from host .* by operator/m,
    );
  });

  test('failover changes the policy, without a word where it costs nothing, with one where it does', async () => {
    const { simulator, run, id } = await scene();
    const names = (): (string | null)[] =>
      [...simulator.array.cluster.state.volumes.values()].map(({ name }) => name);
    expect(await run(['failover', 'db', 'sometimes'])).toMatchObject({ code: 2 });
    expect((await run(['failover', 'db', 'never'], 'n')).err).toContain('keeps the failover policy default');
    const never = await run(['failover', 'db', 'never', '--yes']);
    expect(never).toMatchObject({
      code: 0,
      out: 'volume "db" has the failover policy never now, on every host\n',
    });
    expect(names()).toContain(`~never.${id}`);
    expect((await run(['show', 'db'])).out).toMatch(/failover +never/);
    expect((await run(['failover', 'db', 'never', '--yes'])).out).toContain('nothing to do');
    const always = await run(['failover', 'db', 'always'], 'y');
    expect(always.out).toContain('the snapshot keeps the old one');
    expect(names()).not.toContain(`~never.${id}`);
    expect(names()).toContain(`~always.${id}`);
    expect((await run(['failover', 'db', 'default', '--yes'])).out).not.toContain('snapshot');
    expect(names()).toContain(`~default.${id}`);
    expect((await run(['failover', 'db', 'default', '--yes'])).out).toContain('nothing to do');
  });

  test('failover default of a volume without any marker says what hosts go by, not that all is as asked', async () => {
    const { run } = await scene();
    const { code, out } = await run(['failover', 'db', 'default', '--yes']);
    expect([code, out]).toEqual([0, expect.stringContaining('hosts use their own default')]);
    expect(out).toContain('hosts that have mounted it still use that policy');
    expect(out).not.toContain('nothing to do');
  });

  test("show tells the holder's state and the I/O", async () => {
    const { simulator, run, one, id } = await scene();
    simulator.array.io.add(one, [{ volumeId: id, readKiB: 4, reads: 1, writeKiB: 8, writes: 2, seconds: 1 }]);
    const busy = await run(['show', 'db']);
    expect(busy.out).toMatch(new RegExp(`held by +host .*10\\.0\\.0\\.1.*, id ${one}, connected\n`));
    expect(busy.out).toMatch(/I\/O now +3 operations/);
    expect(busy.out).toContain('none by this host');
    simulator.silence('11111111-1111-1111-1111-111111111111');
    expect((await run(['show', 'db'])).out).toContain(`id ${one}, disconnected\n`);
    expect(await run(['show', 'free'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/held by +nobody/) as string,
    });
  });

  test('show tells how many snapshots there are, and the newest', async () => {
    const { gateway, run, id } = await scene();
    expect((await run(['show', 'db'])).out).toMatch(/snapshots +none\n/);
    for (const name of ['first', 'second']) {
      const arrayName = snapshotArrayName(id, { isFrozen: true, expiresAtSeconds: null, name });
      await gateway.snapshotVolumes(
        { copies: [{ volumeId: id, name: arrayName }], access: 'ReadOnly' },
        soon(),
      );
    }
    expect((await run(['show', 'db'])).out).toMatch(/snapshots +2, the newest "db@(first|second)" of 20/);
    expect(JSON.parse((await run(['show', 'db', '--json'])).out)).toMatchObject({
      snapshots: { count: 2, newest: { name: expect.stringMatching(/first|second/) as string } },
    });
  });

  test('a holder that is lost is called what the plugin on this host last knew', async () => {
    const { simulator, gateway, run, one, id, stateDir } = await scene();
    await gateway.registry.renameHost(one, 'host-a', soon());
    const beside = { dir: stateDir, files: journalFiles, clock: systemClock, log: silentLog };
    const hosts = await openKnownHosts({ ...beside, isWriter: true });
    await rememberingHosts(gateway, hosts).getVolume(id, soon());
    await hosts.close();
    simulator.silence('11111111-1111-1111-1111-111111111111');
    await simulator.array.perform(({ state }) => {
      const sdc = state.sdcs.get(one);
      if (sdc !== undefined) state.sdcs.put({ ...sdc, name: null, ip: null });
    });
    expect((await run(['ls'])).out).toContain('host-a (10.0.0.1, last known)');
    const shown = await run(['show', 'db']);
    expect(shown.out).toMatch(/held by +host host-a \(10\.0\.0\.1, last known\), id [0-9a-f]+, disconnected/);
    expect(JSON.parse((await run(['show', 'db', '--json'])).out)).toMatchObject({
      holders: [{ name: 'host-a', ip: '10.0.0.1', isLastKnown: true }],
    });
    expect((await run(['force-release', 'db', '--yes'])).out).toContain(
      'taken: from host host-a (10.0.0.1, last known) by operator',
    );
  });

  test("since when a holder has it is told where that host's journal knows, and only of that SDC", async () => {
    const { run, one, two, id, stateDir } = await scene();
    const since = '2026-11-25T06:30:00.000Z';
    const entry = {
      name: 'db',
      arrayName: asArrayName('docker-db'),
      volumeId: id,
      systemId: asSystemId('1'),
      holders: ['c'],
    };
    const place = {
      phase: 'mounted',
      mountpoint: '/m/docker-db',
      since: '2026-11-25T07:00:00.000Z',
    } as const;
    const journal = await openJournal({
      dir: stateDir,
      files: journalFiles,
      bootId: 'b',
      pid: process.pid,
      clock: systemClock,
      log: silentLog,
    });
    await journal.put(recordedVolume({ ...entry, ...place, hostId: two, heldSince: since }));
    expect((await run(['show', 'db'])).out).toMatch(/since +not known on this host\n/);
    await journal.put(recordedVolume({ ...entry, ...place, hostId: one, heldSince: since }));
    // Beside the running plugin, whose lock and file stay as they are.
    expect(await run(['show', 'db'])).toMatchObject({ code: 0, err: '' });
    expect((await run(['show', 'db'])).out).toContain(`since         ${since}\n`);
    expect((await run(['ls'])).out).toMatch(/^db .* \d+ d ago +-$/m);
    await journal.close();
  });

  test('ls and show print JSON when asked to', async () => {
    const { run, one, id } = await scene();
    const holder = { sdcId: one, ip: '10.0.0.1', since: null };
    const db = { name: 'db', id, arrayName: 'docker-db', sizeKiB: 16777216, access: 'read-write' };
    const listed = await run(['ls', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject([
      { ...db, holders: [holder], lastFence: null },
      { name: 'free', holders: [] },
    ]);
    await run(['force-release', 'db', '--yes']);
    expect(JSON.parse((await run(['show', 'db', '--json'])).out)).toMatchObject({
      ...db,
      failover: 'default',
      recentIo: 0,
      holders: [],
      lastFence: { from: one, policy: 'forced', holderState: 'connected', recentIo: 0, outcome: 'taken' },
    });
  });

  test.each([
    ['nothing', 3],
    ['DB', 3],
    ['x', 3],
    ['a b', 2],
  ])('show says that there is no "%s"', async (name, code) => {
    const { run } = await scene();
    expect(await run(['show', name])).toMatchObject({
      code,
      err: expect.stringContaining(name) as string,
    });
  });

  test('force-release takes the volume when told so, and records it', async () => {
    const { run, mapped, one } = await scene();
    const { code, out } = await run(['force-release', 'db', '--yes']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /last fence .* taken: from host .*10\.0\.0\.1.* by operator \w+ on \S+, policy forced/,
    );
    expect(await mapped()).toEqual([]);
    expect((await run(['show', 'db'])).out).toMatch(/last fence .* policy forced, holder connected/);
    const again = await run(['force-release', 'db', '--yes']);
    expect(again).toMatchObject({ code: 0, out: 'volume "db" is held by nobody; nothing to do\n' });
    expect(one).not.toBe('');
  });

  test('force-release says as JSON what was done, and asks nobody then', async () => {
    const { run, mapped } = await scene();
    expect(await run(['force-release', 'db', '--json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('needs --yes') as string,
    });
    expect(await mapped()).not.toEqual([]);
    const { out } = await run(['force-release', 'db', '--json', '--yes']);
    expect(JSON.parse(out)).toMatchObject({
      name: 'db',
      from: expect.stringContaining('10.0.0.1') as string,
      fence: { outcome: 'taken', policy: 'forced' },
    });
    const again = await run(['force-release', 'db', '--json', '--yes']);
    expect(JSON.parse(again.out)).toEqual({ name: 'db', from: null, fence: null });
  });

  test.each([
    ['y', []],
    ['Yes ', []],
  ])('force-release asks at a terminal, and "%s" is yes', async (answer, left) => {
    const { run, mapped } = await scene();
    expect((await run(['force-release', 'db'], answer)).code).toBe(0);
    expect(await mapped()).toEqual(left);
  });

  test.each(['', 'n', 'yeah', 'no y'])('force-release asks at a terminal, and "%s" is no', async (answer) => {
    const { run, mapped, one } = await scene();
    expect((await run(['force-release', 'db'], answer)).code).toBe(2);
    expect(await mapped()).toEqual([one]);
  });

  test('force-release does nothing where nobody can be asked', async () => {
    const { run, mapped, one } = await scene();
    const { code, err } = await run(['force-release', 'db']);
    expect([code, err]).toEqual([2, expect.stringContaining('needs --yes')]);
    expect(await mapped()).toEqual([one]);
  });

  test('force-release takes exactly the one SDC that is named, of several', async () => {
    const { run, mapped, one, two } = await scene('both');
    const { code, err } = await run(['force-release', 'db', '--yes']);
    expect([code, err]).toEqual([2, expect.stringContaining('--holder')]);
    expect((await run(['force-release', 'db', '--yes', '--holder', '10.9.9.9'])).code).toBe(2);
    expect(await mapped()).toEqual([one, two]);
    expect((await run(['force-release', 'db', '--yes', '--holder', '10.0.0.2'])).code).toBe(0);
    expect(await mapped()).toEqual([one]);
  });

  describe('release', () => {
    const GUID = '33333333-3333-3333-3333-333333333333';
    /** "db" mapped by hand to the SDC of the host on which the command runs. */
    async function mappedHere(ip: string) {
      const { simulator, gateway } = await simulated({ version: '3.6' });
      const own = await simulator.connectSdc({ guid: GUID, ip });
      const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
      await gateway.createVolume(await newVolume(gateway, 'docker-free'), soon());
      await gateway.attachVolume({ volumeId: id, hostId: own.id as HostId, readOnly: false }, soon());
      const stateDir = await mkdtemp(path.join(tmpdir(), 'volume-command-'));
      onTestFinished(() => rm(stateDir, { recursive: true }));
      const isMapped = async (): Promise<boolean> =>
        (await gateway.getVolume(id, soon()))?.attachments.length === 1;
      return { id, stateDir, isMapped, run: programOn(simulator, stateDir, { SCALEIO_GUID: GUID }) };
    }

    test.each([
      ['nothing', 3, /no volume "nothing"/],
      ['free', 2, /"free" is not mapped to this host; nothing to release/],
      ['db', 5, /its device is not here, so who uses it cannot be seen/],
    ])('of "%s" says why not', async (name, status, why) => {
      const { run, isMapped } = await mappedHere('127.0.0.1');
      const { code, err } = await run(['release', name, '--yes']);
      expect([code, err]).toEqual([status, expect.stringMatching(why)]);
      expect(await isMapped()).toBe(true);
    });

    test('takes nothing from an SDC whose address is not of this host', async () => {
      const { run, isMapped } = await mappedHere('10.0.0.1');
      const { code, err } = await run(['release', 'db', '--yes']);
      expect([code, err]).toEqual([
        5,
        expect.stringMatching(/at 10\.0\.0\.1, which is none of this host's addresses/),
      ]);
      expect(await isMapped()).toBe(true);
    });

    test("leaves the plugin's own to the plugin", async () => {
      const { id, run, stateDir, isMapped } = await mappedHere('127.0.0.1');
      const journal = await openJournal({
        dir: stateDir,
        files: journalFiles,
        bootId: 'b',
        pid: process.pid,
        clock: systemClock,
        log: silentLog,
      });
      const entry = recordedVolume({
        name: 'db',
        arrayName: asArrayName('docker-db'),
        volumeId: id,
        systemId: asSystemId('1'),
        holders: ['c'],
        phase: 'mounted',
        mountpoint: '/m/docker-db',
        since: '2026-11-25T07:00:00.000Z',
      });
      await journal.put(entry);
      await journal.close();
      const { code, err } = await run(['release', 'db', '--yes']);
      expect([code, err]).toEqual([2, expect.stringContaining("is the plugin's own to release")]);
      expect(await isMapped()).toBe(true);
    });
  });
});
