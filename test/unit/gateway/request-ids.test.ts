import { expect, test } from 'vitest';
import { currentRequestId, inRequest, requestTrace } from '../../../src/observe/logging/request-context.ts';
import type { PoolId, VolumeId } from '../../../src/array/ids.ts';
import { clientOf, fakeGateway, json, soon, type FakeGateway } from './fake-gateway.ts';

const POOLS = 'GET /api/types/StoragePool/instances';
const DOMAINS = 'GET /api/types/ProtectionDomain/instances';
const VOLUME = 'GET /api/instances/Volume::';
const owners = {
  current: currentRequestId,
  apart: <T>(what: string, work: () => Promise<T>) => requestTrace.apart(what, work),
};

function gatewayOfVolumes(...ids: string[]): Promise<FakeGateway> {
  const absent = json(500, { message: 'Could not find the volume', httpStatusCode: 500, errorCode: 79 });
  return fakeGateway({
    ...Object.fromEntries(ids.map((id) => [`${VOLUME}${id}`, absent])),
    [POOLS]: json(200, [{ id: 'a1', name: 'fast', protectionDomainId: 'd1' }]),
    [DOMAINS]: json(200, [{ id: 'd1', name: 'pd1' }]),
  });
}

/** By route, without the random end. */
function ids({ seen }: FakeGateway): (readonly [string, string | undefined])[] {
  return seen.map(({ route, headers }) => {
    const id = headers['x-request-id'];
    return [route, typeof id === 'string' ? id.replace(/-[0-9a-f-]{36}$/, '-…') : undefined] as const;
  });
}

test('each request bears the id of the work that asked, also of those that had to wait for their turn', async () => {
  const volumes = ['01', '02', '03', '04'];
  const fake = await gatewayOfVolumes(...volumes);
  const gateway = clientOf(fake, { owners, maxConcurrent: 1 });
  const ask = (id: string): Promise<unknown> =>
    inRequest(`r${id}`, () => gateway.getVolume(id as VolumeId, soon()));
  await Promise.all([...volumes.map(ask), gateway.getVolume('01' as VolumeId, soon())]);
  expect(
    ids(fake)
      .filter(([route]) => route.startsWith(VOLUME))
      .map((one) => one.join(' '))
      .toSorted(),
  ).toEqual([`${VOLUME}01 `, ...volumes.map((id) => `${VOLUME}${id} r${id}`)].toSorted());
});

test('what is asked once for everybody who waits is nobody’s: log-in and log-out, pools and domains', async () => {
  const fake = await gatewayOfVolumes();
  const gateway = clientOf(fake, { owners });
  await inRequest('r1', () =>
    Promise.all([
      gateway.findPool({ pool: 'fast', domain: undefined }, soon()),
      gateway.describePool('a1' as PoolId, soon()),
    ]),
  );
  await gateway.close();
  expect(new Map(ids(fake))).toEqual(
    new Map([
      ['GET /api/login', 'login-…'],
      ['GET /api/version', 'login-…'],
      ['GET /api/types/System/instances', 'login-…'],
      ['GET /api/logout', 'login-…'],
      [POOLS, 'pools-…'],
      [DOMAINS, 'pools-…'],
    ]),
  );
});

test('without ids requests bear none', async () => {
  const fake = await gatewayOfVolumes('01');
  await inRequest('r1', () => clientOf(fake).getVolume('01' as VolumeId, soon()));
  expect(fake.seen.filter(({ headers }) => 'x-request-id' in headers)).toEqual([]);
});
