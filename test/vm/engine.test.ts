import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busyboxImage, startEngine } from './engine.ts';
import { ScaleioHost } from './scaleio-host.ts';

const service = 'docker-volume-scaleio.service';
const log = '/data/log';
/** Says in which boot it lives, again and again, and only what is on the disk. */
const writer = `while :; do echo "$(cat /proc/sys/kernel/random/boot_id) $(cat /proc/uptime)" | dd of=${log} conv=notrunc,fsync oflag=append 2>/dev/null; sleep 1; done`;

/* Nobody plays systemd, the engine or the power here. */
describe('the service beside an engine', () => {
  let host: ScaleioHost;

  beforeAll(async () => {
    host = await ScaleioHost.start();
  });

  afterAll(async () => {
    await host.close();
  });

  const docker = (...args: readonly string[]): Promise<string> => host.machine.exec(['docker', ...args]);
  const written = async (): Promise<string[]> =>
    (await docker('exec', 'writer', 'cat', log)).split('\n').filter((line) => line !== '');
  const writesOn = async (): Promise<void> => {
    const before = (await written()).length;
    await host.machine.until('the container to write on', async () => (await written()).length > before);
  };
  /** Where the volume is mounted on the host, from the kernel. */
  const mountOf = (volume: string): Promise<string> =>
    host.machine.shell(`findmnt --list --noheadings --output SOURCE,TARGET | grep '/docker-${volume}$'`);

  test('gives a container of a real engine its volume', async () => {
    await host.machine.shell(startEngine);
    await host.machine.shell(busyboxImage);
    await docker('volume', 'create', '--driver', 'scaleio', '--opt', 'size=8GiB', 'db');
    const run = ['run', '--detach', '--name', 'writer', '--restart', 'always', '--network', 'none'];
    await docker(...run, '--volume', 'db:/data', 'busybox', 'sh', '-c', writer);
    await writesOn();
    expect(await mountOf('db')).toMatch(/^\/dev\/loop/);
  });

  test('is restarted under a container that writes on', async () => {
    const before = await mountOf('db');
    await host.machine.exec(['systemctl', 'restart', service]);
    await writesOn();
    expect(await mountOf('db')).toBe(before);
    expect(await docker('volume', 'inspect', '--format', '{{.Mountpoint}}', 'db')).toContain('/docker-db');
  });

  test('is upgraded under a container that writes on, while engines wait at its socket', async () => {
    const { machine } = host;
    const before = await mountOf('db');
    const [first] = [await host.unit(service, 'MainPID')];
    await machine.exec(['systemctl', 'stop', service]);
    // What a new version is: another file in the place of the old one.
    await machine.shell('echo "// newer" >>/usr/lib/docker-volume-scaleio/docker-volume-scaleio.cjs');
    expect(await machine.run(['systemctl', 'is-active', service])).toMatchObject({ stdout: 'inactive\n' });
    await docker('volume', 'create', '--driver', 'scaleio', '--opt', 'size=8GiB', 'meanwhile');
    expect(await machine.exec(['systemctl', 'is-active', service])).toBe('active');
    expect(await host.unit(service, 'MainPID')).not.toEqual(first);
    await writesOn();
    expect(await mountOf('db')).toBe(before);
    await docker('stop', '--time', '1', 'writer');
    await expect(mountOf('db')).rejects.toThrow();
    await docker('start', 'writer');
    await writesOn();
  });

  /** When the kernel had been running for how long, in microseconds, until a unit's program started. */
  const startOf = async (unit: string): Promise<number> =>
    Number((await host.unit(unit, 'ExecMainStartTimestampMonotonic'))['ExecMainStartTimestampMonotonic']);

  for (const [how, goDown] of [
    ['in order', (): Promise<void> => host.machine.reboot()],
    ['because its power was cut', (): Promise<void> => host.machine.powerCut()],
  ] as const) {
    test(`is there before the engine when the host boots ${how}, and containers come back with their volumes`, async () => {
      const { machine } = host;
      const [boot, before] = [machine.bootId, await written()];
      await goDown();
      expect(machine.bootId).not.toBe(boot);
      await host.machine.until('the engine', () => docker('exec', 'writer', 'true').then(() => true));
      expect(await startOf(service)).toBeLessThan(await startOf('docker.service'));
      await writesOn();
      const after = await written();
      expect(after.slice(0, before.length)).toEqual(before);
      expect(after.filter((line) => line.startsWith(machine.bootId))).not.toEqual([]);
      expect(after.filter((line) => !/^[0-9a-f-]{36} [\d.]+ [\d.]+$/.test(line))).toEqual([]);
      await host.joined();
      expect(await machine.exec(['systemctl', '--failed', '--no-legend'])).toBe('');
    });
  }
});
