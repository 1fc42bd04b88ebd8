import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './gateway.ts';
import { ScaleioHost } from './scaleio-host.ts';

const service = 'docker-volume-scaleio.service';

describe('a host with a kernel of its own', () => {
  let host: ScaleioHost;
  let gateway: Gateway;

  beforeAll(async () => {
    host = await ScaleioHost.start();
    gateway = new Gateway(host);
  });

  afterAll(async () => {
    await host.close();
  });

  const restartService = async (): Promise<void> => {
    await host.machine.exec(['systemctl', 'daemon-reload']);
    await host.machine.exec(['systemctl', 'restart', service]);
    await host.joined();
  };

  test('mounts a volume that has grown, and leaves its ext4 as it is, where the service lacks CAP_SYS_RESOURCE', async () => {
    const { CapabilityBoundingSet = '' } = await host.unit(service, 'CapabilityBoundingSet');
    const rest = CapabilityBoundingSet.split(' ').filter((name) => name !== 'cap_sys_resource');
    expect(rest.length).toBe(CapabilityBoundingSet.split(' ').length - 1);
    const without = `/etc/systemd/system/${service}.d/without.conf`;
    await host.machine.exec(['mkdir', '-p', `/etc/systemd/system/${service}.d`]);
    await host.machine.write(
      without,
      `[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=${rest.join(' ')}\n`,
    );
    await restartService();
    await host.create('grows', { fs: 'ext4' });
    await gateway.grow('grows', 16);
    const mountpoint = await host.mount('grows');
    expect(await host.gib(mountpoint)).toBeLessThan(8);
    await host.unmount('grows');
    await host.machine.exec(['rm', without]);
    await restartService();
    expect(await host.gib(await host.mount('grows'))).toBeGreaterThan(15);
    await host.unmount('grows');
  });

  describe('whose device mapper has claimed a device', () => {
    let device: string;
    let mountpoint: string;

    /** As when multipathd is faster: the plugin has the volume, its mount is gone, and a map as multipathd makes them has the device. */
    beforeAll(async () => {
      await host.create('claimed');
      mountpoint = await host.mount('claimed');
      await host.machine.shell(`echo kept >${mountpoint}/file`);
      device = await host.machine.exec(['findmnt', '--noheadings', '--output', 'SOURCE', mountpoint]);
      await host.machine.exec(['systemctl', 'stop', service, 'docker-volume-scaleio.socket']);
      await host.machine.exec(['umount', mountpoint]);
      const path = `1 1 service-time 0 1 2 ${device} 1 1`;
      await host.machine.shell(`
        modprobe --all dm-multipath dm-service-time
        dmsetup create claimant --uuid mpath-claimant --table "0 $(blockdev --getsz ${device}) multipath 0 0 ${path}"`);
      await host.machine.exec(['systemctl', 'start', 'docker-volume-scaleio.socket', service]);
      await host.joined();
    });

    test('waits for it, and a Mount that waited in vain names who has it', async () => {
      const answer = await host.ask('Mount', { Name: 'claimed', ID: 'second' });
      expect(answer.Err).toMatch(
        /something else on this host has claimed .* for 10 s: .*block device "dm-0" is built on it/,
      );
    });

    test('leaves it mapped when it is given back, because the kernel still holds it', async () => {
      await host.unmount('claimed');
      expect((await gateway.volume('claimed')).mappedSdcInfo).toHaveLength(1);
      expect(await host.machine.exec(['dmsetup', 'ls'])).toContain('claimant');
    });

    test('mounts it as soon as it is let go', async () => {
      const waiting = host.mount('claimed', 'third');
      await host.machine.exec(['dmsetup', 'remove', '--retry', 'claimant']);
      expect(await waiting).toBe(mountpoint);
      expect(await host.machine.exec(['cat', `${mountpoint}/file`])).toBe('kept');
      await host.unmount('claimed', 'third');
      await host.machine.until(
        'the volume to be free',
        async () => (await gateway.volume('claimed')).mappedSdcInfo === null,
      );
    });
  });
});
