import { expect, test } from 'vitest';
import { VolumeNotFoundError } from '../../../src/errors.ts';
import { currentRequestId, inRequest, requestTrace } from '../../../src/observe/logging/request-context.ts';
import { AddressWitness } from '../../../src/volumes/address-witness.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import { Driver } from '../../../src/docker/driver.ts';
import type { VolumeHost } from '../../../src/volumes/volume-host.ts';
import { OwnIdentity } from '../../../src/volumes/identity.ts';
import { VolumeLock } from '../../../src/volumes/life/volume-lock.ts';
import { World } from '../../unit/volumes/world/world.ts';
import { seenByKernel } from './seen-by-kernel.ts';
import { simulated } from './simulated.ts';

const GUID = '11111111-1111-1111-1111-111111111111';
const MINUTE_MS = 60_000;
const POOLS = 'GET /api/types/StoragePool/instances';
const DOMAINS = 'GET /api/types/ProtectionDomain/instances';

/** The core over the real client and a simulated array, on a host whose disks are played. */
async function scene(refuseAbovePercent?: number) {
  const world = new World();
  const [host] = world.hosts;
  if (host === undefined) throw new Error('the world has no host');
  host.guid = GUID;
  host.kernel.deviceDelayMs = 0;
  const owners = {
    current: currentRequestId,
    apart: <T>(what: string, work: () => Promise<T>) => requestTrace.apart(what, work),
  };
  const clock = { ...host.life.host.clock, sleep: () => Promise.resolve() };
  const { simulator, gateway } = await simulated({}, { owners, clock });
  await simulator.connectSdc({ guid: GUID, ip: host.ip });
  const array = seenByKernel(gateway, world, host.sdcId);
  const { log, attacher: sdc } = host.life.host;
  const sole = { claim: () => Promise.resolve(undefined) };
  const witness = new AddressWitness(() => [host.ip], clock, log);
  const core: VolumeHost = {
    ...host.life.host,
    array,
    clock,
    trace: requestTrace,
    identity: new OwnIdentity(
      { array, attacher: sdc, sole, witness },
      { prefix: 'docker-', endpoints: simulator.urls },
    ),
    policy: { ...host.policy, refuseAbovePercent },
  };
  const driver = new Driver(
    core,
    { defaults: BUILT_IN_DEFAULTS, classes: new Map() },
    new VolumeLock(clock),
    () => undefined,
  );
  /** What a call asked the gateways itself, and what was asked beside it for everybody; log-ins aside. */
  const callsOf = async (work: () => Promise<unknown>) => {
    simulator.requests.clear();
    await inRequest('the-call', work);
    const all = simulator.requests.all();
    const lists = all.filter(({ requestId }) => requestId?.startsWith('pools-') === true);
    expect(all.filter(({ requestId }) => requestId === undefined)).toEqual([]);
    return {
      own: all.filter(({ requestId }) => requestId === 'the-call').length,
      lists: lists.map(({ method, path }) => `${method} ${path}`),
    };
  };
  const create = (name: string, options: Record<string, string> = {}) =>
    callsOf(() => driver.create(name, options, host.life.call()));
  const askFor = (name: string) =>
    callsOf(() => expect(driver.get(name, host.life.call())).rejects.toThrow(VolumeNotFoundError));
  await create('warm');
  const pass = (ms: number): void => {
    world.clock.advanceTo(world.clock.elapsed() + ms);
  };
  return { create, askFor, pass };
}

test('a whole Create is six calls, also when the lists of pools and domains have just grown old', async () => {
  const { create, pass } = await scene();
  pass(15 * MINUTE_MS - 1);
  expect(await create('young')).toEqual({ own: 6, lists: [] });
  pass(1);
  expect(await create('old')).toEqual({ own: 6, lists: [POOLS] });
  expect(await create('next')).toEqual({ own: 6, lists: [DOMAINS] });
  expect(await create('later')).toEqual({ own: 6, lists: [] });
});

test('after the Get that an engine sends first it is six on the wire at most, whatever is old', async () => {
  const { create, askFor, pass } = await scene();
  pass(15 * MINUTE_MS);
  expect(await askFor('old')).toEqual({ own: 1, lists: [] });
  expect(await create('old')).toEqual({ own: 5, lists: [POOLS] });
  expect(await askFor('next')).toEqual({ own: 1, lists: [] });
  expect(await create('next', { failover: 'never' })).toEqual({ own: 6, lists: [DOMAINS] });
});

test.each([
  { what: 'a failover policy', options: { failover: 'never' }, refuseAbove: undefined },
  { what: 'a limit to how full pools may be', options: {}, refuseAbove: 90 },
])('with $what it is six after a Get, and seven without one', async ({ options, refuseAbove }) => {
  const { create, askFor } = await scene(refuseAbove);
  await askFor('asked');
  expect(await create('asked', { ...options })).toEqual({ own: 6, lists: [] });
  expect(await create('unasked', { ...options })).toEqual({ own: 7, lists: [] });
});
