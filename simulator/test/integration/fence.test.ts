import { execa } from 'execa';
import { constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fences } from '../../src/hosts/volume-fences.ts';
import { heldFile, isHeld } from '../../src/sdc/fence.ts';
import { sweepHost } from '../../src/sdc/sweep.ts';
import type { SdcVolume } from '../../src/sdc-protocol.ts';
import { Machine, ONE, TWO, VOLUME } from './machine.ts';

/*
 * Rule "one writer" as the simulated array must keep it: after a mapping call is answered (the `.held` file is gone),
 * nothing that the old host writes can reach the volume, and what was synced there is what the new host finds.
 */

let machine: Machine;
let mountpoint: string;
beforeEach(async () => {
  machine = await Machine.start();
  mountpoint = join(machine.dir, 'm1');
  mkdirSync(mountpoint);
});
afterEach(async () => {
  await machine.end();
});

/** Appends numbered records: one synced, one not, and so on; prints each number once its sync came back. */
const WRITER = `
const fs = require('node:fs');
const synced = fs.openSync(process.argv[1] + '/synced', 'a');
const unsynced = fs.openSync(process.argv[1] + '/unsynced', 'a');
for (let n = 1; ; n += 1) {
  fs.writeSync(synced, String(n).padStart(15) + '\\n');
  fs.writeSync(unsynced, String(n).padStart(15) + '\\n');
  fs.fsyncSync(synced);
  fs.writeSync(1, n + '\\n');
}`;

async function makeAndMount(filesystem: string, link: string, where = mountpoint): Promise<void> {
  await execa(`mkfs.${filesystem}`, filesystem === 'ext4' ? ['-F', '-q', link] : ['-f', '-q', link]);
  await execa('mount', [link, where]);
}

async function mountAgain(filesystem: string, link: string): Promise<string> {
  const where = join(machine.dir, 'm2');
  mkdirSync(where, { recursive: true });
  // Two hosts on one machine share the kernel's list of XFS UUIDs.
  await execa('mount', filesystem === 'xfs' ? ['-o', 'nouuid', link, where] : [link, where]);
  return where;
}

async function heldIsGone(guid = ONE): Promise<void> {
  await vi.waitFor(
    () => {
      expect(existsSync(heldFile(machine.mdm.fenceDir, VOLUME, guid))).toBe(false);
    },
    { timeout: 20_000, interval: 5 },
  );
}

function programFlags(): string[] {
  const { devDir, stateDir, fenceDir, scini, mdms } = machine.options(ONE);
  const flags = ['--guid', ONE, '--ip', '10.0.0.9', '--fence-dir', fenceDir, '--dev-dir', devDir];
  const more = ['--state-dir', stateDir, '--scini', scini, '--mdm', ...mdms];
  return [join(import.meta.dirname, 'run-agent.ts'), ...flags, ...more];
}

/** The agent as a process of its own. */
function startProgram() {
  return execa(process.execPath, programFlags(), { reject: false });
}

function startWriter() {
  const writer = execa(process.execPath, ['-e', WRITER, mountpoint], { reject: false });
  let output = '';
  writer.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { writer, lastSynced: () => Number(output.trim().split('\n').at(-1)) };
}

function records(where: string): number[] {
  return readFileSync(join(where, 'synced'), 'utf8').trimEnd().split('\n').map(Number);
}

/** Resolves with a check that the volume's bytes are still the same. */
async function remember(volume: SdcVolume): Promise<() => Promise<unknown>> {
  const copy = join(machine.dir, 'copy');
  await execa('cp', ['--sparse=always', volume.file, copy]);
  return () => execa('cmp', [volume.file, copy]);
}

describe.each(['ext4', 'xfs', 'btrfs'])('a host that loses a mounted %s', (filesystem) => {
  test('has EIO from then on, and the next host finds all that was synced', async () => {
    await machine.agent(ONE);
    await machine.agent(TWO);
    const volume = machine.volume();
    machine.mdm.map(volume, [ONE]);
    await makeAndMount(filesystem, await machine.appeared(ONE));
    const { writer, lastSynced } = startWriter();
    await vi.waitFor(() => {
      expect(lastSynced()).toBeGreaterThan(50);
    }, 20_000);

    machine.mdm.map(volume, []);
    await heldIsGone();
    const isAsAtTheFence = await remember(volume);
    const ended = await writer;
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stderr).toMatch(/EIO|EROFS/);
    const promised = lastSynced();
    await execa('sync', ['--file-system', mountpoint], { reject: false });
    await isAsAtTheFence();
    await machine.vanished(ONE);

    machine.mdm.map(volume, [TWO]);
    const found = records(await mountAgain(filesystem, await machine.appeared(TWO)));
    expect(found.slice(0, promised)).toEqual(Array.from({ length: promised }, (_, index) => index + 1));
    expect(found.length).toBeLessThanOrEqual(promised + 1);
  }, 20_000);

  test('that loses power loses what was not synced, and nothing else', async () => {
    const agent = await machine.agent(ONE);
    await machine.agent(TWO);
    const volume = machine.volume();
    machine.mdm.map(volume, [ONE]);
    await makeAndMount(filesystem, await machine.appeared(ONE));
    await execa('sh', ['-c', 'echo yes > synced; sync synced; echo no > unsynced'], { cwd: mountpoint });

    await agent.powerOff();
    expect(await isHeld(heldFile(machine.mdm.fenceDir, VOLUME, ONE))).toBe(false);
    await execa('umount', [mountpoint]);
    machine.mdm.map(volume, [TWO]);
    const where = await mountAgain(filesystem, await machine.appeared(TWO));
    expect(readFileSync(join(where, 'synced'), 'utf8')).toBe('yes\n');
    expect(readdirSync(where)).not.toContain('unsynced');
    await machine.agent(ONE);
  });
});

test('a raw writer gets EIO, and not a byte of it lands after the fence', async () => {
  await machine.agent(ONE);
  const volume = machine.volume();
  machine.mdm.map(volume, [ONE]);
  const link = await machine.appeared(ONE);
  const flags = ['if=/dev/urandom', `of=${link}`, 'bs=4k', 'oflag=direct', 'conv=notrunc'];
  const writer = execa('dd', flags, { reject: false, env: { LC_ALL: 'C' } });
  await vi.waitFor(() => {
    expect(statSync(volume.file).blocks).toBeGreaterThan(1000);
  }, 20_000);
  machine.mdm.map(volume, []);
  await heldIsGone();
  const isAsAtTheFence = await remember(volume);
  expect((await writer).stderr).toContain('Input/output error');
  await isAsAtTheFence();
});

test('what a raw writer wrote and closed without a sync is there after an orderly unmapping', async () => {
  await machine.agent(ONE);
  const volume = machine.volume();
  machine.mdm.map(volume, [ONE]);
  await execa('dd', [
    'if=/dev/zero',
    `of=${await machine.appeared(ONE)}`,
    'bs=1M',
    'count=1',
    'conv=notrunc',
  ]);
  const file = await open(await machine.appeared(ONE), 'r+');
  await file.write('cached', 4096);
  await file.close();
  machine.mdm.map(volume, []);
  await heldIsGone();
  const { stdout } = await execa('dd', [`if=${volume.file}`, 'bs=1', 'skip=4096', 'count=6', 'status=none']);
  expect(stdout).toBe('cached');
});

test('the fence holds while the SDC cannot hear the MDM, and takes the volume back only with it', async () => {
  const agent = await machine.agent(ONE);
  const volume = machine.volume();
  machine.mdm.map(volume, [ONE]);
  await makeAndMount('ext4', await machine.appeared(ONE));
  agent.silence();
  await vi.waitFor(() => {
    expect(machine.mdm.connected(ONE)).toBe(false);
  }, 20_000);
  await execa('sh', ['-c', 'echo still > here; sync here'], { cwd: mountpoint });

  machine.mdm.map(volume, []);
  await heldIsGone();
  await machine.vanished(ONE);
  await expect(execa('sh', ['-c', 'echo x > there; sync there'], { cwd: mountpoint })).rejects.toThrow();
  await execa('umount', [mountpoint]);

  machine.mdm.map(volume, [ONE]);
  agent.resume();
  const where = await mountAgain('ext4', await machine.appeared(ONE));
  expect(readdirSync(where)).toContain('here');
});

test('a stopped agent is fenced all the same', async () => {
  const volume = machine.volume();
  const agent = startProgram();
  try {
    machine.mdm.map(volume, [ONE]);
    await machine.appeared(ONE);
    agent.kill('SIGSTOP');
    machine.mdm.map(volume, []);
    await heldIsGone();
    agent.kill('SIGCONT');
    await machine.vanished(ONE);
  } finally {
    agent.kill('SIGTERM');
  }
  expect((await agent).exitCode).toBe(0);
});

test('a data path that stands still can be ended by the MDM, and writes no more when it goes on', async () => {
  await machine.agent(ONE);
  const volume = machine.volume();
  machine.mdm.map(volume, [ONE]);
  const link = await machine.appeared(ONE);
  const { stdout } = await execa('pgrep', ['--full', `${machine.scini} .*--guid ${ONE}`]);
  const pids = stdout.split('\n').map(Number);
  expect(pids).toHaveLength(2);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const flags = ['bs=4096', 'count=1', 'oflag=direct', 'conv=notrunc', 'status=none'];
  const writer = execa('dd', [`of=${link}`, ...flags], { input: 'late'.repeat(1024), reject: false });
  machine.mdm.map(volume, []);
  const fences = await Fences.open(machine.mdm.fenceDir);
  expect(await fences.released(VOLUME, [], 200)).toBe(false);
  await fences.enforce(VOLUME, []);
  expect(await fences.released(VOLUME, [], 20_000)).toBe(true);
  for (const pid of pids) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
  expect((await writer).stderr).toContain('Input/output error');
  await machine.vanished(ONE);
  const beginning = await execa('head', ['--bytes=4', volume.file]);
  expect(beginning.stdout).not.toBe('late');
});

test('an agent that is killed takes its devices along, and its next life cleans up', async () => {
  const volume = machine.volume();
  const agent = startProgram();
  machine.mdm.map(volume, [ONE]);
  await makeAndMount('xfs', await machine.appeared(ONE));
  agent.kill('SIGKILL');
  await agent;
  await heldIsGone();
  await expect(execa('sh', ['-c', 'echo x > f; sync f'], { cwd: mountpoint })).rejects.toThrow();
  expect(await machine.links(ONE)).toHaveLength(1);
  await execa('umount', [mountpoint]);
  machine.mdm.map(volume, []);
  await machine.agent(ONE);
  expect(await machine.links(ONE)).toEqual([]);
});

test('a host that is killed with all its namespaces is a power cut', async () => {
  const held = heldFile(machine.mdm.fenceDir, VOLUME, ONE);
  const volume = machine.volume();
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // The shell keeps the namespaces' process 1 from being the agent itself.
  const shell = ['sh', '-c', '"$@" & wait', 'sh'];
  const host = execa('unshare', [...namespaces, ...shell, process.execPath, ...programFlags()], {
    reject: false,
  });
  try {
    machine.mdm.map(volume, [ONE]);
    const link = await machine.appeared(ONE);
    await execa('mkfs.xfs', ['-f', '-q', link]);
    const work = `mount ${link} ${mountpoint}; cd ${mountpoint}; echo yes > synced; sync synced; echo no > unsynced`;
    const init = (await execa('pgrep', ['--parent', String(host.pid)])).stdout;
    await execa('nsenter', ['--target', init, '--mount', '--pid', 'sh', '-c', work]);
    expect(await isHeld(held)).toBe(true);
    expect(readFileSync(held, 'utf8')).toBe('0\n');
  } finally {
    host.kill('SIGKILL');
    await host;
  }
  await vi.waitFor(async () => {
    expect(await isHeld(held)).toBe(false);
  }, 20_000);
  await machine.agent(TWO);
  machine.mdm.map(volume, [TWO]);
  const where = await mountAgain('xfs', await machine.appeared(TWO));
  expect(readFileSync(join(where, 'synced'), 'utf8')).toBe('yes\n');
  expect(readdirSync(where)).not.toContain('unsynced');
  await sweepHost({ guid: ONE, devDir: machine.options(ONE).devDir, fenceDir: machine.mdm.fenceDir });
});

test('a data path keeps no other volume busy, not even one whose mount another mount hides', async () => {
  const other = '6c33633100000077';
  await machine.agent(ONE);
  const volume = machine.volume();
  machine.mdm.map(volume, [ONE]);
  const link = await machine.appeared(ONE);
  const hidden = join(mountpoint, 'hidden');
  mkdirSync(hidden);
  await makeAndMount('ext4', link, hidden);
  await execa('mount', ['-t', 'tmpfs', 'none', mountpoint]);
  machine.mdm.map(machine.volume({ volumeId: other }), [ONE]);
  await machine.appeared(ONE, other);
  await execa('umount', [mountpoint]);
  await execa('umount', [hidden]);
  await vi.waitFor(async () => {
    await (await open(link, constants.O_RDONLY | constants.O_EXCL)).close();
  }, 5000);
});
