import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './gateway.ts';
import { ScaleioHost } from './scaleio-host.ts';

const service = 'docker-volume-scaleio.service';

/*
 * What the hosts of a lab cannot show: a real systemd, capabilities that count. The plugin came as docs/configuration.md says, word for
 * word.
 */
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

  test('runs under a real systemd with cgroup v2, without a complaint about its units', async () => {
    const { machine } = host;
    expect(await machine.exec(['cat', '/proc/1/comm'])).toBe('systemd');
    expect(await machine.exec(['stat', '--file-system', '--format', '%T', '/sys/fs/cgroup'])).toBe(
      'cgroup2fs',
    );
    const units = ['docker-volume-scaleio.socket', service];
    for (const unit of units) {
      expect(await machine.exec(['systemctl', 'is-active', unit])).toBe('active');
      expect(await machine.exec(['systemctl', 'is-enabled', unit])).toBe('enabled');
    }
    const files = units.map((unit) => `/etc/systemd/system/${unit}`);
    const { code, stdout, stderr } = await machine.run(['systemd-analyze', '--man=no', 'verify', ...files]);
    expect([code, stdout, stderr]).toEqual([0, '', '']);
    expect(await machine.exec(['systemctl', '--failed', '--no-legend'])).toBe('');
    const { MainPID = '', ControlGroup = '' } = await host.unit(service, 'MainPID', 'ControlGroup');
    expect(await machine.exec(['cat', `/sys/fs/cgroup${ControlGroup}/cgroup.procs`])).toBe(MainPID);
  });

  test('grows a mounted ext4 whose volume has grown, with the capabilities that the unit leaves it', async () => {
    await host.create('grows', { fs: 'ext4' });
    const mountpoint = await host.mount('grows');
    await host.machine.shell(`echo before >${mountpoint}/file`);
    expect(await host.gib(mountpoint)).toBeLessThan(8);
    await host.unmount('grows');
    await gateway.grow('grows', 16);
    expect(await host.mount('grows')).toBe(mountpoint);
    expect(await host.gib(mountpoint)).toBeGreaterThan(15);
    expect(await host.machine.exec(['cat', `${mountpoint}/file`])).toBe('before');
    await host.unmount('grows');
  });
});
