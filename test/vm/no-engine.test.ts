import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './gateway.ts';
import { ScaleioHost } from './scaleio-host.ts';

const service = 'docker-volume-scaleio.service';

/* Nobody but the plugin brings things in order here: no engine asks for a volume again. */
describe('a host without an engine', () => {
  let host: ScaleioHost;
  let gateway: Gateway;

  beforeAll(async () => {
    host = await ScaleioHost.start();
    gateway = new Gateway(host);
    for (const name of ['kept', 'half']) await host.create(name);
  });

  afterAll(async () => {
    await host.close();
  });

  const journal = (): Promise<string> =>
    host.machine.exec(['cat', '/var/lib/docker-volume-scaleio/state/journal']);
  const isMapped = async (name: string): Promise<boolean> =>
    (await gateway.volume(name)).mappedSdcInfo !== null;
  const nothingIsMapped = (): Promise<unknown> =>
    host.machine.until(
      'all volumes to be free',
      async () => !(await isMapped('kept')) && !(await isMapped('half')),
    );
  /** Of the journal's first line. */
  const bootOfJournal = async (): Promise<string> =>
    /"bootId":"([0-9a-f-]{36})/.exec(await journal())?.[1] ?? '';
  const mounts = (): Promise<string> => host.machine.exec(['cat', '/proc/self/mountinfo']);

  /** Of the file system that is mounted there. */
  const gib = async (mountpoint: string): Promise<number> =>
    Number(await host.machine.exec(['stat', '--file-system', '--format', '%b', mountpoint])) / 262_144;
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
    expect(await gib(mountpoint)).toBeLessThan(8);
    await host.unmount('grows');
    await host.machine.exec(['rm', without]);
    await restartService();
    expect(await gib(await host.mount('grows'))).toBeGreaterThan(15);
    await host.unmount('grows');
  });

  describe('whose device mapper has claimed a device', () => {
    let device: string;
    let mountpoint: string;

    /** As when multipathd is faster: the plugin has the volume, its mount is gone, and somebody else has the device. */
    beforeAll(async () => {
      await host.create('claimed');
      mountpoint = await host.mount('claimed');
      await host.machine.shell(`echo kept >${mountpoint}/file`);
      device = await host.machine.exec(['findmnt', '--noheadings', '--output', 'SOURCE', mountpoint]);
      await host.machine.exec(['systemctl', 'stop', service, 'docker-volume-scaleio.socket']);
      await host.machine.exec(['umount', mountpoint]);
      await host.machine.shell(
        `dmsetup create claimant --table "0 $(blockdev --getsz ${device}) linear ${device} 0"`,
      );
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
  for (const [how, goDown] of [
    ['loses power', (): Promise<void> => host.machine.powerCut()],
    ['is reset by its own kernel', (): Promise<void> => host.machine.sysrq('b')],
    ['reboots', (): Promise<void> => host.machine.reboot()],
  ] as const) {
    test(`and ${how} resolves its intents and lets go of what it had, because the boot is another`, async () => {
      const mountpoint = await host.mount('kept');
      await host.machine.shell(`echo ${how.length} >${mountpoint}/synced; sync -f ${mountpoint}/synced`);
      // Its device never comes: the intent is on disk and the mapping made, and that is how the host goes down.
      const { id } = await gateway.volume('half');
      await gateway.fault('devices', { volumeId: id, fault: 'never' });
      const hanging = host.mount('half').then(
        () => 'mounted',
        (error: unknown) => String(error),
      );
      await host.machine.until('the intent to be carried out', () => isMapped('half'));
      expect(await journal()).toContain('"half"');
      expect(await bootOfJournal()).toBe(host.machine.bootId);
      const before = host.machine.bootId;

      await goDown();
      expect(await hanging).not.toBe('mounted');
      expect(host.machine.bootId).not.toBe(before);
      await host.joined();
      await nothingIsMapped();
      // That of a request without an answer stays for five minutes, because it may still be carried out.
      await host.machine.until('the entry to go', async () => !(await journal()).includes('"kept"'));
      expect(await bootOfJournal()).toBe(host.machine.bootId);
      expect(await mounts()).not.toContain('/kept');

      const again = await host.mount('kept');
      expect(await host.machine.exec(['cat', `${again}/synced`])).toBe(`${how.length}`);
      await host.unmount('kept');
      expect(await isMapped('kept')).toBe(false);
    });
  }
});
