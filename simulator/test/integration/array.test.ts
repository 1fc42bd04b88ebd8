import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dataPathsOf } from '../../src/hosts/data-path-end.ts';
import { Fences } from '../../src/hosts/volume-fences.ts';
import { startAgent, type Agent } from '../../src/sdc/agent.ts';
import { buildScini } from '../../src/sdc/programs.ts';
import { startSimulator, type Simulator } from '../../src/simulator.ts';
import { admin, GatewayClient, guidA, guidB } from '../contract/gateway-client.ts';

/* The agents with the simulated gateway and MDM, as users run them. */

let dir: string;
let simulator: Simulator;
let gateway: GatewayClient;
let agents: Agent[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sdc-array-'));
  simulator = await startSimulator({ users: [admin], dir: join(dir, 'state') });
  gateway = new GatewayClient(simulator.urls[0] ?? '');
  await gateway.login();
  const scini = await buildScini(join(dir, 'scini'));
  agents = await Promise.all(
    [guidA, guidB].map((guid, index) => {
      const host = { devDir: join(dir, guid, 'dev'), stateDir: join(dir, guid, 'run') };
      const fenceDir = join(dir, 'state/fence');
      const ip = `10.0.0.${index + 1}`;
      return startAgent({ guid, ip, mdms: [simulator.mdmUrl], fenceDir, scini, appearDelayMs: 20, ...host });
    }),
  );
  await vi.waitFor(() => {
    expect(agents.every((agent) => agent.connected)).toBe(true);
  }, 20_000);
});
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  await simulator.close();
  await rm(dir, { recursive: true });
});

function link(guid: string, volumeId: string): string {
  return join(dir, guid, 'dev/disk/by-id', `emc-vol-${simulator.systemId}-${volumeId}`);
}

async function map(volumeId: string, guid: string): Promise<string> {
  const body = { guid, allowMultipleMappings: 'FALSE' };
  expect(await gateway.post(`/api/instances/Volume::${volumeId}/action/addMappedSdc`, body)).toMatchObject({
    status: 200,
  });
  await vi.waitFor(() => execa('test', ['-b', link(guid, volumeId)]), 20_000);
  return link(guid, volumeId);
}

async function unmap(volumeId: string, guid: string): Promise<void> {
  expect(
    await gateway.post(`/api/instances/Volume::${volumeId}/action/removeMappedSdc`, { guid }),
  ).toMatchObject({ status: 200 });
}

test('once the gateway has answered an unmapping, nothing of the old host reaches the volume', async () => {
  const id = await gateway.createVolume({ name: 'moving' });
  const old = await map(id, guidA);
  const flags = ['bs=4k', 'oflag=direct', 'conv=notrunc', 'if=/dev/zero'];
  const writer = execa('dd', [...flags, `of=${old}`], { reject: false, env: { LC_ALL: 'C' } });
  await unmap(id, guidA);
  const held = (await readdir(join(dir, 'state/fence'))).filter((name) => name.endsWith('.held'));
  expect(held).toEqual([]);
  const current = await map(id, guidB);
  const mark = ['bs=4k', 'count=1', 'iflag=fullblock', 'oflag=direct', 'conv=notrunc'];
  await execa('dd', [...mark, `of=${current}`], { input: 'B'.repeat(4096) });
  expect((await writer).stderr).toContain('Input/output error');
  const read = await execa('dd', [`if=${current}`, 'bs=4k', 'count=1', 'status=none']);
  expect(read.stdout).toBe('B'.repeat(4096));
  expect(existsSync(old)).toBe(false);
});

test('content that a mapped volume gets is read through its device, and what is written then goes nowhere else', async () => {
  const id = await gateway.createVolume({ name: 'restored' });
  const device = await map(id, guidA);
  const write = (text: string): Promise<unknown> =>
    execa('dd', ['bs=4k', 'count=1', 'iflag=fullblock', 'oflag=direct', 'conv=notrunc', `of=${device}`], {
      input: text.repeat(4096),
    });
  const read = async (path: string, ...flags: string[]): Promise<string> =>
    (await execa('dd', [`if=${path}`, 'bs=4k', 'count=1', 'status=none', ...flags])).stdout;
  const act = async (action: string, body: object): Promise<unknown> => {
    const reply = await gateway.post(`/api/instances/${action}`, body);
    expect(reply.status).toBe(200);
    return reply.body;
  };
  await write('A');
  const taken = await act('System/action/snapshotVolumes', { snapshotDefs: [{ volumeId: id }] });
  const [snapshot = ''] = (taken as { volumeIdList: string[] }).volumeIdList;
  await write('B');
  await act(`Volume::${id}/action/overwriteVolumeContent`, { srcVolumeId: snapshot });
  expect(await read(device, 'iflag=direct')).toBe('A'.repeat(4096));
  const { stdout: size } = await execa('blockdev', ['--getsize64', device]);
  expect(Number(size)).toBe(8 * 2 ** 30);
  await write('C');
  expect(await read(simulator.array.files.path(snapshot))).toBe('A'.repeat(4096));
  await act(`Volume::${id}/action/overwriteVolumeContent`, { srcVolumeId: snapshot });
  expect(await read(device, 'iflag=direct')).toBe('A'.repeat(4096));
});

test('snapshots of two volumes are of one moment while both are written', async () => {
  const ids = [await gateway.createVolume({ name: 'first' }), await gateway.createVolume({ name: 'second' })];
  const [one = '', two = ''] = await Promise.all(ids.map((id) => map(id, guidA)));
  // So much lies before the number on the one that copying takes its time.
  const filled = ['bs=1M', 'count=128', 'iflag=fullblock', 'oflag=direct', 'conv=notrunc'];
  await execa('dd', ['if=/dev/urandom', `of=${one}`, ...filled]);
  const put = 'bs=4k count=1 iflag=fullblock oflag=direct conv=notrunc status=none';
  const program = `n=0; while :; do n=$((n+1))
    printf '%4096s' $n | dd of=${one} seek=32768 ${put} || exit; printf '%4096s' $n | dd of=${two} ${put} || exit
  done`;
  const writer = execa('sh', ['-c', program], { reject: false });
  const numberAt = async (path: string, block: number): Promise<number> => {
    const flags = ['bs=4k', 'count=1', `skip=${block}`, 'status=none'];
    return Number((await execa('dd', [`if=${path}`, ...flags])).stdout.replaceAll('\0', ''));
  };
  try {
    for (let round = 0; round < 3; round += 1) {
      const before = await numberAt(simulator.array.files.path(ids[1] ?? ''), 0);
      await vi.waitFor(async () => {
        expect(await numberAt(simulator.array.files.path(ids[1] ?? ''), 0)).toBeGreaterThan(before);
      }, 20_000);
      const reply = await gateway.post('/api/instances/System/action/snapshotVolumes', {
        snapshotDefs: ids.map((volumeId) => ({ volumeId })),
      });
      expect(reply.status).toBe(200);
      const { volumeIdList } = reply.body as { volumeIdList: string[] };
      const [first = '', second = ''] = volumeIdList.map((id) => simulator.array.files.path(id));
      const [ahead, behind] = [await numberAt(first, 32_768), await numberAt(second, 0)];
      expect([behind, behind + 1]).toContain(ahead);
    }
  } finally {
    writer.kill();
    await writer;
  }
});

test('hosts that stood still when the simulator was killed go on when it starts', async () => {
  const id = await gateway.createVolume({ name: 'still' });
  const device = await map(id, guidA);
  const fence = join(dir, 'state/fence');
  const [held = ''] = (await readdir(fence)).filter((name) => name.endsWith('.held'));
  const [pid = 0] = await dataPathsOf(join(fence, held));
  process.kill(pid, 'SIGSTOP');
  await writeFile(join(fence, 'paused'), JSON.stringify([pid, process.pid]));
  await (await Fences.open(fence)).whileStill([id], () => Promise.resolve());
  await execa('dd', [`if=${device}`, 'of=/dev/null', 'bs=4k', 'count=1', 'iflag=direct'], {
    timeout: 20_000,
  });
  expect(existsSync(join(fence, 'paused'))).toBe(false);
  // Who stands still for a reason of its own is left so.
  process.kill(pid, 'SIGSTOP');
  await gateway.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs: [{ volumeId: id }] });
  expect((await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0]).toBe('T');
  process.kill(pid, 'SIGCONT');
});

test('a host that lost power keeps nobody waiting', async () => {
  const id = await gateway.createVolume({ name: 'orphan' });
  await map(id, guidA);
  await agents[0]?.powerOff();
  const since = performance.now();
  await unmap(id, guidA);
  await map(id, guidB);
  expect(performance.now() - since).toBeLessThan(3000);
});
