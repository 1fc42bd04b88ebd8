import { execa } from 'execa';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { startAgent } from '../../src/sdc/agent.ts';
import { buildDrvCfg, buildScini } from '../../src/sdc/programs.ts';
import { startSimulator, type Simulator } from '../../src/simulator.ts';
import { admin, GatewayClient, guidA } from '../contract/gateway-client.ts';
import { OpenStackHost, unpackOpenStack } from '../openstack/openstack-host.ts';
import { keepLogs } from '../../../lab/secrets/kept-logs.ts';

/* The simulated array and SDC, driven by Debian's OpenStack: Cinder's driver for PowerFlex, and os-brick on the host. */

const GIB = 1024 ** 3;
const medium = 'pd1:medium';
const fine = 'pd1:fine';
const made = z.object({ id: z.string(), arrayId: z.string() });
type Made = z.infer<typeof made>;

/** Downloads, Python's first look at a few thousand modules, gcc: seconds, or minutes on a machine with much else to do. */
const patience = 10 * 60_000;

beforeAll(unpackOpenStack, patience);

describe.each(['3.6', '4.5'] as const)('version %s', (version) => {
  let directory: string;
  let array: Simulator;
  let gateway: GatewayClient;
  let host: OpenStackHost;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'openstack-'));
    ends.push(async () => {
      await keepLogs(directory);
      await rm(directory, { recursive: true });
    });
    array = await startSimulator({
      version,
      users: [admin],
      dir: path.join(directory, 'array'),
      gateways: [{ tls: true }, {}],
      domains: [
        {
          name: 'pd1',
          pools: [
            { name: 'medium', mediaType: 'SSD' },
            { name: 'fine', mediaType: 'SSD', dataLayout: 'FineGranularity' },
          ],
        },
      ],
    });
    ends.push(() => array.close());
    const [secure = '', plain = ''] = array.urls;
    gateway = new GatewayClient(plain);
    await gateway.login();
    const agent = await startAgent({
      guid: guidA,
      ip: '127.0.0.1',
      mdms: [array.mdmUrl],
      fenceDir: path.join(directory, 'array/fence'),
      devDir: path.join(directory, 'dev'),
      stateDir: path.join(directory, 'sdc'),
      scini: await buildScini(path.join(directory, 'scini')),
      appearDelayMs: 20,
    });
    ends.push(() => agent.close());
    const { password } = admin;
    const caFile = array.caFile ?? '';
    host = await OpenStackHost.start({
      directory,
      drvCfg: await buildDrvCfg(path.join(directory, 'drv_cfg')),
      password,
      caFile,
      backend: {
        volume_backend_name: 'powerflex',
        san_ip: '127.0.0.1',
        powerflex_rest_server_port: Number(new URL(secure).port),
        san_login: admin.name,
        san_password: password,
        powerflex_storage_pools: `${medium},${fine}`,
        driver_ssl_cert_verify: true,
        driver_ssl_cert_path: caFile,
        san_thin_provision: true,
      },
    });
    ends.push(() => host.end());
  }, patience);
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const create = async (size: number, pool = medium): Promise<Made> =>
    made.parse(await host.do('create', { pool, size }));
  const shown = (volume: Made) => gateway.object('Volume', volume.arrayId);
  const device = (volume: Made): string =>
    path.join('dev/disk/by-id', `emc-vol-${array.systemId}-${volume.arrayId}`);
  const links = async (): Promise<string[]> =>
    (await readdir(path.join(directory, 'dev/disk/by-id'))).filter((name) => name.startsWith('emc-vol-'));

  async function attach(volume: Made, limits = {}): Promise<string> {
    const found = await host.do('attach', { volume: volume.id, limits });
    expect(found).toBe(`/${device(volume)}`);
    return path.join(directory, device(volume));
  }

  const detach = (volume: Made) => host.do('detach', { volume: volume.id });

  /** What a host that has the volume for a moment finds at its beginning; writes something else there first when it is to. */
  async function content(volume: Made, written?: string): Promise<string> {
    const file = await open(await attach(volume), 'r+');
    try {
      if (written !== undefined) {
        await file.write(written.padEnd(16), 0);
        await file.sync();
      }
      const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0);
      return buffer.toString().trimEnd();
    } finally {
      await file.close();
      await detach(volume);
    }
  }

  const delete_ = async (...volumes: Made[]): Promise<void> => {
    for (const volume of volumes) await host.do('delete', { volume: volume.id });
    const left = (await gateway.list('Volume')).map((volume) => volume['id']);
    for (const volume of volumes) expect(left).not.toContain(volume.arrayId);
  };

  test('a volume is created, grown and deleted, on either layout', async () => {
    for (const pool of [medium, fine]) {
      const volume = await create(3, pool);
      const name = Buffer.from(volume.id.replaceAll('-', ''), 'hex').toString('base64');
      expect(await shown(volume)).toMatchObject({
        name,
        sizeInKb: (8 * GIB) / 1024,
        volumeType: 'ThinProvisioned',
        dataLayout: pool === fine ? 'FineGranularity' : 'MediumGranularity',
      });
      await host.do('extend', { volume: volume.id, size: 17 });
      expect(await shown(volume)).toMatchObject({ sizeInKb: (24 * GIB) / 1024 });
      await delete_(volume);
    }
  });

  test('an attached volume is a device that is written and read, grows, has limits, and is gone when it is detached', async () => {
    const volume = await create(8);
    const link = await attach(volume, { iopsLimit: '200', bandwidthLimit: '10240' });
    await execa('test', ['-b', link]);
    expect((await shown(volume))['mappedSdcInfo']).toMatchObject([
      { sdcIp: '127.0.0.1', limitIops: 200, limitBwInMbps: 10, accessMode: 'ReadWrite' },
    ]);
    await execa('mkfs.ext4', ['-q', link]);
    await host.do('extend', { volume: volume.id, size: 16 });
    expect(await host.do('attached_size', { volume: volume.id })).toBe(16 * GIB);
    await execa('fsck.ext4', ['-fn', link]);
    await detach(volume);
    expect(await shown(volume)).toMatchObject({ mappedSdcInfo: null });
    await vi.waitFor(async () => {
      expect(await links()).toEqual([]);
    }, 20_000);
    await detach(volume).catch((error: unknown) => {
      // This os-brick knows only the numbers of before 4.0.
      if (version === '3.6') throw error;
      expect(String(error)).toContain('The volume is not mapped to this host');
    });
    await delete_(volume);
  });

  test('a snapshot keeps what was there; volumes are made of it and of volumes; a volume goes back to it', async () => {
    const volume = await create(8);
    expect(await content(volume, 'before')).toBe('before');
    const snapshot = made.parse(await host.do('snapshot', { volume: volume.id }));
    expect(await shown(snapshot)).toMatchObject({ volumeType: 'Snapshot', ancestorVolumeId: volume.arrayId });
    expect(await content(volume, 'after')).toBe('after');

    const restored = made.parse(
      await host.do('from_snapshot', { snapshot: snapshot.id, pool: medium, size: 16 }),
    );
    expect(await shown(restored)).toMatchObject({ sizeInKb: (16 * GIB) / 1024 });
    expect(await content(restored)).toBe('before');
    const clone = made.parse(await host.do('clone', { volume: volume.id, pool: medium, size: 8 }));
    expect(await content(clone, 'cloned')).toBe('cloned');
    expect(await content(volume)).toBe('after');

    await host.do('revert', { volume: volume.id, snapshot: snapshot.id });
    expect(await content(volume)).toBe('before');
    await host.do('delete_snapshot', { snapshot: snapshot.id });
    await delete_(volume);
    expect(await content(clone)).toBe('cloned');
    await delete_(restored, clone);
  });

  test('a volume that is still mapped is taken from its host before it is deleted', async () => {
    const volume = await create(8);
    await attach(volume);
    await delete_(volume);
    await vi.waitFor(async () => {
      expect(await links()).toEqual([]);
    }, 20_000);
  });

  test('its statistics are the array’s: capacity net of the second copy, what is provisioned, what each layout can', async () => {
    const pools = z.object({ pools: z.array(z.record(z.string(), z.unknown())) });
    const figures = async () => pools.parse(await host.do('statistics')).pools;
    const before = await figures();
    // Three devices of 4096 GiB, a tenth of them spare, two copies.
    const room = Math.floor((3 * 4096 * 0.9) / 2);
    expect(before).toMatchObject([
      {
        pool_name: medium,
        total_capacity_gb: room,
        provisioned_capacity_gb: 0,
        thick_provisioning_support: true,
        thin_provisioning_support: true,
        compression_support: false,
      },
      { pool_name: fine, thick_provisioning_support: false, compression_support: true },
    ]);
    const volume = await create(24);
    expect((await figures())[0]).toMatchObject({ total_capacity_gb: room, provisioned_capacity_gb: 24 });
    await delete_(volume);
  });

  test('what the driver refuses it says, and a volume that is gone already is deleted', async () => {
    await expect(create(8, 'pd1:nowhere')).rejects.toThrow('InvalidInput');
    const volume = await create(8);
    const snapshot = made.parse(await host.do('snapshot', { volume: volume.id }));
    await host.do('extend', { volume: volume.id, size: 16 });
    const revert = host.do('revert', { volume: volume.id, snapshot: snapshot.id });
    await expect(revert).rejects.toThrow('size is not equal to snapshot');
    await host.do('delete_snapshot', { snapshot: snapshot.id });
    await delete_(volume);
    await host.do('delete', { volume: volume.id });
  });
});
