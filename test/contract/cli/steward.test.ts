import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { fillPool } from 'scaleio-simulator/operations';
import { PASSWORD, simulated } from '../gateway/simulated.ts';

const POLICY = `
version: 1
act: true
pools:
  - pool: sp1
    grow: { above: 85, maxDevices: 9, devices: [{ sds: pd1-sds1, path: /dev/disk/by-id/spare-1 }] }
`;

async function scene(policy: string) {
  const { simulator } = await simulated();
  const dir = await mkdtemp(path.join(tmpdir(), 'steward-command-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = path.join(dir, 'steward.yml');
  await writeFile(file, policy);
  const run = async (...args: string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine({
      argv: ['steward', '--policy', file, ...args],
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
      },
      pid: 1,
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      onSignal: () => undefined,
    });
    return { code, out: out.join(''), err: err.join('') };
  };
  return { simulator, run };
}

test('--check-policy says that a policy is right, or everything that is wrong with it', async () => {
  const good = await (await scene(`${POLICY}  - pool: nowhere\n`)).run('--check-policy');
  expect(good).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 pools, acting, no clean-up') as string,
  });
  const bad = await (
    await scene('version: 1\npool: []\npools: [{ pool: a, warm: 80 }]')
  ).run('--check-policy');
  expect(bad.code).toBe(1);
  expect(bad.err).toContain('unknown key "pool"; did you mean pools?');
  expect(bad.err).toContain('pools[0]: unknown key "warm"; did you mean warn?');
});

test('--once shows each pool and what would be done, and does nothing even where the policy acts', async () => {
  const { simulator, run } = await scene(POLICY);
  const [pool] = simulator.array.cluster.state.pools.values();
  await fillPool(simulator.array, pool?.id ?? '', 98);
  const { code, out } = await run('--once');
  expect(code).toBe(0);
  expect(out).toMatch(/^pool +pd1\/sp1 \([0-9a-f]{16}\), 3 devices$/m);
  expect(out).toMatch(/^used +98\.0 %, 10\.6 TiB raw of 12\.0 TiB$/m);
  expect(out).toMatch(/^level +critical$/m);
  expect(out).toMatch(/^health +normal$/m);
  expect(out).toMatch(/^growth +next: \/dev\/disk\/by-id\/spare-1 of SDS "pd1-sds1"$/m);
  expect(simulator.array.cluster.state.devices.size).toBe(3);
});

test('--once and --check-policy say it to programs, too, and a steward that goes on has a log', async () => {
  const { run } = await scene(POLICY);
  expect(JSON.parse((await run('--once', '--json')).out)).toMatchObject({
    failure: null,
    pools: [{ reading: { name: 'sp1' } }],
  });
  expect(JSON.parse((await run('--check-policy', '--json')).out)).toMatchObject({ isRight: true });
  expect(await run('--json')).toMatchObject({ code: 2 });
});

test('--once fails when the policy names a pool that is not there, and shows the others all the same', async () => {
  const { run } = await scene(`${POLICY}  - { pool: sp2, domain: pd1 }\n  - pool: nowhere\n`);
  const { code, out, err } = await run('--once');
  expect(out).toMatch(/^pool +pd1\/sp1 /m);
  expect(out).toContain(
    'the array has no storage pool "pd1/sp2"; did you mean "pd1/sp1"? It has "pd1/sp1"\n',
  );
  expect(out).toContain('the array has no storage pool "nowhere"; it has "pd1/sp1"\n');
  expect(code).toBe(1);
  expect(err).toBe(
    'docker-volume-scaleio: the policy does not fit the array in 2 places (see above): correct its pools, then try again\n',
  );
});

const CLEANING = `${POLICY}
cleanup: { deadSdcMappings: true }
`;

test('--check-policy says what would be cleaned up', async () => {
  expect((await (await scene(CLEANING)).run('--check-policy')).out).toContain(
    'acting, cleans up unfinished volumes older than 24 h, mappings of SDCs that are gone',
  );
});

test('--once shows what hosts that are gone have left, and removes nothing', async () => {
  const { simulator, run } = await scene(CLEANING);
  expect((await run('--once')).out).toContain('clean-up        the array lists no SDC at all');
  const guid = '11111111-1111-1111-1111-111111111111';
  await simulator.connectSdc({ guid, name: 'node-1' });
  expect((await run('--once')).out).toContain('clean-up        nothing left over');
  await simulator.seed({ count: 1, prefix: '~new.0123abcd.0000000' });
  simulator.silence(guid);
  const [made] = simulator.array.cluster.state.volumes.values();
  await simulator.array.perform(({ state }) => {
    if (made !== undefined) state.volumes.put({ ...made, createdAt: 1_700_000_000 });
  });
  const { code, out } = await run('--once');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^clean-up {8}kept: remove-volume volume "~new\.0123abcd\.0000000\d" .* by an unknown host/m,
  );
  expect(simulator.array.cluster.state.volumes.size).toBe(1);
});

test('--once fails when the array cannot be read', async () => {
  const { simulator, run } = await scene(POLICY);
  await simulator.gateways[0]?.down();
  expect(await run('--once')).toMatchObject({
    code: 7,
    err: expect.stringContaining('no gateway') as string,
  });
});
