import { describe, expect, test } from 'vitest';
import { CancelledError, GatewayAuthError, GatewayUnavailableError } from '../../../src/errors.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { createPolicy } from 'scaleio-simulator/operations';
import type { Simulator } from 'scaleio-simulator';
import {
  asPolicyId,
  type ArrayName,
  type HostId,
  type PolicyId,
  type VolumeId,
} from '../../../src/array/ids.ts';
import { GIB, newVolume, simulated, soon, twoSdcs } from './simulated.ts';

interface Scene {
  readonly gateway: Gateway;
  readonly id: VolumeId;
  readonly other: VolumeId;
  readonly one: HostId;
  readonly policyId: PolicyId;
}

async function hourlyPolicy(simulator: Simulator): Promise<string> {
  const plan = { cadenceMinutes: 60, retained: [24], paused: false, secure: false };
  const policy = await simulator.array.perform((cluster) =>
    createPolicy(cluster, { ...plan, name: 'hourly', accessMode: 'ReadOnly' }),
  );
  return policy.id;
}

const NAME = 'docker-new' as ArrayName;

/** Each change, and how the array shows that it happened exactly once. */
const CHANGES: Record<
  string,
  {
    path: string;
    mapped?: boolean;
    run: (scene: Scene) => Promise<unknown>;
    shows: (scene: Scene) => Promise<unknown>;
  }
> = {
  create: {
    path: 'types/Volume/instances$',
    run: async ({ gateway }) => gateway.createVolume(await newVolume(gateway, NAME), soon()),
    shows: async ({ gateway }) => (await gateway.listVolumes((name) => name === NAME, soon())).length === 1,
  },
  map: {
    path: 'addMappedSdc',
    run: ({ gateway, id, one }) =>
      gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon()),
    shows: async ({ gateway, id, one }) =>
      (await gateway.getVolume(id, soon()))?.attachments[0]?.hostId === one,
  },
  unmap: {
    path: 'removeMappedSdc',
    mapped: true,
    run: ({ gateway, id, one }) => gateway.detachVolume(id, one, soon()),
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.attachments.length === 0,
  },
  rename: {
    path: 'setVolumeName',
    run: ({ gateway, id }) => gateway.renameVolume(id, NAME, soon()),
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.name === NAME,
  },
  remove: {
    path: 'removeVolume',
    run: ({ gateway, id }) => gateway.removeVolume(id, soon()),
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon())) === undefined,
  },
  grow: {
    path: 'setVolumeSize',
    run: ({ gateway, id }) => gateway.growVolume(id, 32 * GIB, soon()),
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.sizeKiB === 32 * GIB,
  },
  snapshot: {
    path: 'snapshotVolumes',
    run: ({ gateway, id }) => gateway.snapshotVolume(id, NAME, soon()),
    shows: async ({ gateway }) => (await gateway.listVolumes((name) => name === NAME, soon())).length === 1,
  },
  'snapshots of two volumes': {
    path: 'snapshotVolumes',
    run: ({ gateway, id, other }) =>
      gateway.snapshotVolumes(
        {
          copies: [
            { volumeId: id, name: NAME },
            { volumeId: other, name: `${NAME}-2` as ArrayName },
          ],
          access: 'ReadWrite',
        },
        soon(),
      ),
    shows: async ({ gateway, id, other }) => {
      const made = await gateway.listVolumes((name) => name.startsWith(NAME), soon());
      const groups = new Set(made.map(({ groupId }) => groupId));
      return made.map(({ ancestorId }) => ancestorId).join() === [id, other].join() && groups.size === 1;
    },
  },
  'content put back': {
    path: 'overwriteVolumeContent|revertSnapshot',
    run: async ({ gateway, id }) => {
      const snapshot = await gateway.snapshotVolume(id, NAME, soon());
      await gateway.growVolume(id, 32 * GIB, soon());
      await gateway.overwriteContent(id, snapshot, soon());
    },
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.sizeKiB === 16 * GIB,
  },
  'limits lifted': {
    path: 'setMappedSdcLimits',
    mapped: true,
    run: async ({ gateway, id: volumeId, one: hostId }) => {
      await gateway.limitAttachment({ volumeId, hostId }, { iops: 100, bandwidthKiBps: 1024 }, soon());
      await gateway.limitAttachment({ volumeId, hostId }, { iops: 0, bandwidthKiBps: 0 }, soon());
    },
    shows: async ({ gateway, id }) => {
      const [attachment] = (await gateway.getVolume(id, soon()))?.attachments ?? [];
      return attachment?.limitIops === 0 && attachment.limitBandwidthKiBps === 0;
    },
  },
};

/** What there is from 3.0 on. */
const NEWER_CHANGES: typeof CHANGES = {
  'writing allowed': {
    path: 'setVolumeAccessModeLimit',
    run: async ({ gateway, id }) => {
      await gateway.limitToReadOnly(id, soon());
      await gateway.allowWriting(id, soon());
    },
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.accessModeLimit === 'ReadWrite',
  },
  'a secured snapshot': {
    path: 'snapshotVolumes',
    run: ({ gateway, id }) =>
      gateway.snapshotVolumes(
        { copies: [{ volumeId: id, name: NAME }], access: 'ReadOnly', secureForMinutes: 60 },
        soon(),
      ),
    shows: async ({ gateway }) => {
      const made = await gateway.listVolumes((name) => name === NAME, soon());
      return made.length === 1 && made[0]?.secureUntilSeconds !== null;
    },
  },
  'a source of a policy': {
    path: 'addSourceVolumeToSnapshotPolicy',
    run: ({ gateway, id, policyId }) => gateway.addPolicySource(policyId, id, soon()),
    shows: async ({ gateway, id, policyId }) => (await gateway.getVolume(id, soon()))?.policyId === policyId,
  },
  'no more a source of a policy': {
    path: 'removeSourceVolumeFromSnapshotPolicy',
    run: async ({ gateway, id, policyId }) => {
      await gateway.addPolicySource(policyId, id, soon());
      await gateway.removePolicySource(policyId, id, soon());
    },
    shows: async ({ gateway, id }) => (await gateway.getVolume(id, soon()))?.policyId === null,
  },
};

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  const changes = { ...CHANGES, ...(version === '2.6' ? {} : NEWER_CHANGES) };
  describe.each(Object.entries(changes))('%s', (_name, change) => {
    test.each([
      ['its reply lost once', 'reply-lost', 1],
      ['its reply lost twice', 'reply-lost', 2],
      ['its request cut off before it', 'cut', 2],
    ] as const)('happens exactly once with %s', async (_how, kind, count) => {
      const { simulator, gateway } = await simulated({ version });
      const { one } = await twoSdcs(simulator);
      const id = await gateway.createVolume(await newVolume(gateway, 'docker-old'), soon());
      if (change.mapped === true)
        await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
      const other = await gateway.createVolume(await newVolume(gateway, 'docker-web'), soon());
      const policyId = asPolicyId(await hourlyPolicy(simulator));
      const scene = { gateway, id, other, one, policyId };
      simulator.faults.add({ kind, path: change.path, method: 'POST', count });
      await change.run(scene);
      expect(await change.shows(scene)).toBe(true);
    });
  });

  test('an MDM failover is waited out, for reads and changes', async () => {
    const { simulator, gateway } = await simulated({ version });
    const wanted = await newVolume(gateway, 'docker-db');
    simulator.faults.failOver(0.5);
    const id = await gateway.createVolume(wanted, soon());
    simulator.faults.failOver(0.5);
    expect((await gateway.getVolume(id, soon()))?.name).toBe('docker-db');
  });

  test('"The system is busy" and error pages are waited out', async () => {
    const { simulator, gateway } = await simulated({ version });
    const wanted = await newVolume(gateway, 'docker-db');
    const busy = { message: 'The system is busy. Retry later', httpStatusCode: 500, errorCode: 164 };
    simulator.faults.add({ kind: 'error', method: 'POST', status: 500, body: busy, count: 3 });
    simulator.faults.add({ kind: 'error', method: 'GET', status: 503, body: '<html>503</html>', count: 1 });
    const id = await gateway.createVolume(wanted, soon());
    expect((await gateway.getVolume(id, soon()))?.id).toBe(id);
  });
});

test('pages of the ingress of 4.x in place of errors: tokens are renewed, a wrong password is said', async () => {
  const { simulator, gateway } = await simulated({ version: '4.5', htmlErrors: true });
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  simulator.sessions.revokeAll();
  expect((await gateway.getVolume(id, soon()))?.id).toBe(id);
  const options = { password: 'wrong', endpoints: simulator.urls };
  const { gateway: stranger } = await simulated({}, options);
  await expect(stranger.identity(soon())).rejects.toBeInstanceOf(GatewayAuthError);
});

test('of two gateways one goes down and comes back while volumes are made and mapped', async () => {
  const listener = { host: '127.0.0.1', port: 0, tls: false };
  const { simulator, gateway } = await simulated({ gateways: [listener, listener] });
  const { one } = await twoSdcs(simulator);
  const cycle = async (name: string): Promise<void> => {
    const id = await gateway.createVolume(await newVolume(gateway, name), soon());
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    await gateway.detachVolume(id, one, soon());
  };
  await cycle('docker-a');
  const running = Promise.all(Array.from({ length: 20 }, (_, index) => cycle(`docker-b${index}`)));
  await simulator.gateways[0]?.down();
  await running;
  await cycle('docker-c');
  await simulator.gateways[0]?.up();
  await simulator.gateways[1]?.down();
  await cycle('docker-d');
  expect(await gateway.listVolumes((name) => name.startsWith('docker-'), soon())).toHaveLength(23);
});

test('all gateways down: says so soon, and works again when one is back', async () => {
  const { simulator, gateway } = await simulated();
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await simulator.gateways[0]?.down();
  await expect(gateway.getVolume(id, soon())).rejects.toBeInstanceOf(GatewayUnavailableError);
  await simulator.gateways[0]?.up();
  await expect
    .poll(() => gateway.getVolume(id, soon()).catch(() => undefined), { timeout: 5000 })
    .toMatchObject({ id });
});

test('a deadline ends a call to a slow array and nothing is sent after it', async () => {
  const { simulator, gateway, calls } = await simulated();
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  simulator.faults.latency = { fixedMs: 5000, jitterMs: 0 };
  calls();
  await expect(gateway.getVolume(id, AbortSignal.timeout(100))).rejects.toBeInstanceOf(CancelledError);
  expect(calls().length).toBeLessThanOrEqual(1);
  simulator.faults.clear();
});

test('500 volumes are made, mapped, unmapped and removed, 16 at a time', async () => {
  const { simulator, gateway, calls } = await simulated();
  const { one } = await twoSdcs(simulator);
  const wanted = await newVolume(gateway, 'docker-0');
  calls();
  const ways = Array.from({ length: 500 }, async (_, index) => {
    const id = await gateway.createVolume({ ...wanted, name: `docker-${index}` as ArrayName }, soon());
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    await gateway.detachVolume(id, one, soon());
    await gateway.removeVolume(id, soon());
  });
  await Promise.all(ways);
  expect(calls()).toHaveLength(2000);
  expect(await gateway.listVolumes(() => true, soon())).toEqual([]);
});
