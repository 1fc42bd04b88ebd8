import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startArray } from '../../lab/hosts/array.ts';
import type { EngineVersion } from '../../lab/hosts/engine.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { addressOf } from '../../lab/hosts/network.ts';
import { DRIVER, installPlugin, publishPlugin } from '../../lab/hosts/scaleio-plugin.ts';
import { until } from '../../lab/hosts/until.ts';
import { bytesBelow } from '../../plugin/build.ts';
import { builtPlugin } from '../../plugin/built.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft, volumeMounts } from '../../lab/stage/left-on-host.ts';
import { enableMeasured, runningPlugin } from './plugin-figures.ts';
import { type ArrayStage, bareStage, stageSettings } from '../../lab/stage/stage.ts';
import { newSecret } from '../../lab/secrets/used.ts';

/** The life of the managed plugin on one engine, in the order of a plugin's life: later tests need the earlier ones. */
export function describeManagedPlugin(engine: EngineVersion): void {
  describe(`managed plugin on engine ${engine}`, () => {
    let stage: Omit<ArrayStage, 'array'>;
    let array: ArrayStage['array'];
    let host: Host;
    let directory: string;
    let published: string;

    beforeAll(async () => {
      directory = await builtPlugin();
      stage = await bareStage({ engine });
      host = stage.host;
      published = await publishPlugin(stage.lab, directory);
    });

    afterAll(async () => {
      await stage.close();
    });

    test('is less than 200 MB', async () => {
      const bytes = await bytesBelow(`${directory}/rootfs`);
      console.log(`root file system: ${Math.round(bytes / 1e6)} MB`);
      expect(bytes).toBeLessThan(200e6);
    });

    test('starts on a host without any directory of ours, and while the gateway is away', async () => {
      await expect(host.exec(['ls', '/opt/emc', '/etc/scaleio'])).rejects.toThrow(/No such file/);
      const settings = [`SCALEIO_ENDPOINT=http://${addressOf('storage', 0)}:8080`, 'SCALEIO_USERNAME=admin'];
      const install = [
        'plugin',
        'install',
        '--grant-all-permissions',
        '--disable',
        '--alias',
        DRIVER,
        published,
      ];
      await host.docker([...install, ...settings, `SCALEIO_PASSWORD=${newSecret('password')}`]);
      const figures = await enableMeasured(host, stage.log);
      console.log(`without gateway: ${JSON.stringify(figures)}`);
      expect(figures.listeningMs).toBeLessThan(5000);
      expect(await host.docker(['volume', 'ls', '--quiet'])).toBe('');
      await host.docker(['plugin', 'rm', '--force', DRIVER]);
    });

    describe('with an array', () => {
      beforeAll(async () => {
        array = await startArray(stage.lab);
        await installPlugin(host, array, published, stageSettings);
      });

      test('is enabled at once and keeps the password to itself', async () => {
        await host.docker(['plugin', 'disable', DRIVER]);
        const figures = await enableMeasured(host, stage.log);
        console.log(`engine ${engine}: ${JSON.stringify(figures)}`);
        expect(figures.enableMs).toBeLessThan(5000);
        expect(figures.listeningMs).toBeLessThan(5000);
        expect(await host.docker(['plugin', 'inspect', DRIVER])).not.toContain(array.password);
      });

      test('gives one container the bytes that another wrote', async () => {
        await createVolume(host, 'letters');
        const text = randomBytes(3000).toString('base64');
        const written = await onVolume(host, 'letters', `printf '${text}' >/data/a; sha256sum /data/a; sync`);
        await untilNothingLeft(array, host);
        expect(await onVolume(host, 'letters', 'sha256sum /data/a')).toBe(written);
        expect(await onVolume(host, 'letters', 'cat /data/a')).toBe(text);
        const [seen] = JSON.parse(await host.docker(['volume', 'inspect', 'letters'])) as {
          Status: object;
        }[];
        expect(seen).toMatchObject({
          Driver: `${DRIVER}:latest`,
          Scope: 'global',
          Status: { size: '8GiB', filesystem: 'xfs', pool: 'sp1', mountedHere: false, stale: false },
        });
        await host.docker(['volume', 'rm', 'letters']);
      });

      test("asks the host's own drv_cfg who it is, unless SCALEIO_GUID says so", async () => {
        const set = async (...settings: string[]): Promise<void> => {
          await host.docker(['plugin', 'disable', '--force', DRIVER]);
          await host.docker(['plugin', 'set', DRIVER, ...settings]);
          await host.docker(['plugin', 'enable', DRIVER]);
        };
        await createVolume(host, 'named');
        await set('SCALEIO_DRV_CFG=/opt/nowhere');
        await expect(onVolume(host, 'named', 'true')).rejects.toThrow(/\/opt\/nowhere/);
        await set('SCALEIO_DRV_CFG=/opt/nowhere', `SCALEIO_GUID=${array.guidOf(host)}`);
        expect(await onVolume(host, 'named', 'echo $(ls -A /data)')).toBe('');
        await set('SCALEIO_DRV_CFG=', 'SCALEIO_GUID=');
        await host.docker(['volume', 'rm', 'named']);
      });

      test('with mistakes in its settings is enabled, says what they are, and leaves containers their volumes', async () => {
        await createVolume(host, 'steady');
        const writer = await Writer.start(host, 'steady');
        const set = async (...settings: string[]): Promise<void> => {
          await host.docker(['plugin', 'disable', '--force', DRIVER]);
          await host.docker(['plugin', 'set', DRIVER, ...settings]);
          await host.docker(['plugin', 'enable', DRIVER]);
        };
        await set('SCALEIO_FS=ext5', 'SCALEIO_CA_FILE=/etc/scaleio/none.pem', 'SCALEIO_INSECURE=false');
        await writer.goesOn();
        const mistakes =
          /2 mistakes: SCALEIO_FS: .*did you mean .*ext4.*SCALEIO_CA_FILE: cannot read file .*ENOENT/;
        await expect(createVolume(host, 'more')).rejects.toThrow(mistakes);
        await expect(host.docker(['volume', 'rm', 'steady'])).rejects.toThrow(/in use/);
        await expect(onVolume(host, 'steady', 'true')).rejects.toThrow(mistakes);
        expect(await host.docker(['volume', 'inspect', '--format', '{{.Name}}', 'steady'])).toBe('steady');
        await writer.remove();
        expect(await volumeMounts(host)).toEqual([]);
        await set('SCALEIO_FS=', 'SCALEIO_CA_FILE=', 'SCALEIO_INSECURE=true');
        await untilNothingLeft(array, host);
        expect(Number(await onVolume(host, 'steady', 'wc -l </data/log'))).toBeGreaterThan(0);
        await host.docker(['volume', 'rm', 'steady']);
      });

      test('is disabled and enabled again while a volume is in use', async () => {
        await createVolume(host, 'busy');
        const writer = await Writer.start(host, 'busy');
        await expect(host.docker(['plugin', 'disable', DRIVER])).rejects.toThrow(/in use/);
        await host.docker(['plugin', 'disable', '--force', DRIVER]);
        await writer.goesOn();
        await host.docker(['plugin', 'enable', DRIVER]);
        await writer.goesOn();
        expect(await mappedTo(array, host)).toHaveLength(1);
        const lines = await writer.lines();
        await writer.remove();
        await untilNothingLeft(array, host);
        expect(Number(await onVolume(host, 'busy', 'wc -l </data/log'))).toBeGreaterThanOrEqual(lines);
        await host.docker(['volume', 'rm', 'busy']);
      });

      // `docker plugin enable` gives the plugin 30 s for a call unless told otherwise, and repeats what took longer
      // without its body. [moby client.go]
      test('finds its Mount done when it is repeated after the engine gave up', async () => {
        await createVolume(host, 'late');
        await host.docker(['plugin', 'disable', '--force', DRIVER]);
        await host.docker(['plugin', 'enable', '--timeout', '2', DRIVER]);
        await array.request('POST', '/simulator/devices', { fault: 4000 });
        await expect(onVolume(host, 'late', 'true')).rejects.toThrow(/without a body/);
        await until('the Mount to be done', () => onVolume(host, 'late', 'touch /data/a').then(() => true));
        await array.request('DELETE', '/simulator/faults');
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'late']);
        await host.docker(['plugin', 'disable', '--force', DRIVER]);
        await host.docker(['plugin', 'enable', DRIVER]);
      });

      test('is upgraded while a volume is in use', async () => {
        const newer = await publishNewer();
        await createVolume(host, 'aged');
        const writer = await Writer.start(host, 'aged');
        await host.docker(['plugin', 'disable', '--force', DRIVER]);
        const upgrade = ['plugin', 'upgrade', '--grant-all-permissions', '--skip-remote-check'];
        await host.docker([...upgrade, DRIVER, newer]);
        await host.docker(['plugin', 'enable', DRIVER]);
        expect(await host.docker(['plugin', 'inspect', DRIVER])).toContain('a newer one');
        await writer.goesOn();
        expect(Number(await onVolume(host, 'aged', 'wc -l </data/log'))).toBeGreaterThan(0);
        await writer.goesOn();
        await writer.remove();
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'aged']);
      });

      async function publishNewer(): Promise<string> {
        const newer = `${directory}-newer`;
        await execa('rm', ['-rf', newer]);
        await execa('cp', ['--archive', '--link', directory, newer]);
        const change = `s/"description": "Volumes on[^"]*"/"description": "a newer one"/`;
        // Engine 20.10 refuses to create a plugin with a layer that it has already.
        await writeFile(`${newer}/rootfs/etc/newer`, '');
        await execa('sed', ['--in-place', change, `${newer}/config.json`]);
        try {
          return await publishPlugin(stage.lab, newer, 'newer');
        } finally {
          await execa('rm', ['-rf', newer]);
        }
      }

      test('is killed while a volume is in use', async () => {
        await createVolume(host, 'shaken');
        const writer = await Writer.start(host, 'shaken');
        const killed = await host.killPlugin();
        const revived = await runningPlugin(host);
        expect(revived.pid).not.toBe(killed.pid);
        await writer.goesOn();
        const path = JSON.parse(await host.docker(['volume', 'inspect', 'shaken'])) as {
          Mountpoint: string;
        }[];
        expect(path[0]?.Mountpoint).toContain('/volumes/');
        const mark = await stage.log.mark();
        await writer.remove();
        await expect.poll(() => stage.log.calls(mark)).toContainEqual('Unmount shaken 1');
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'shaken']);
      });

      test('lives through an engine restart that stops its containers', async () => {
        await createVolume(host, 'kept');
        const writer = await Writer.start(host, 'kept', ['--restart', 'always']);
        await host.stopDockerd();
        await untilNothingLeft(array, host);
        await host.startDockerd();
        await until('the container to run again', () => writer.lines());
        await writer.goesOn();
        await writer.remove();
        await untilNothingLeft(array, host);
        await restartEngine();
        expect(Number(await onVolume(host, 'kept', 'wc -l </data/log'))).toBeGreaterThan(0);
        await host.docker(['volume', 'rm', 'kept']);
      });

      test('lives through an engine restart under live-restore, containers going on', async () => {
        await configureEngine({ 'live-restore': true });
        await createVolume(host, 'lively');
        const writer = await Writer.start(host, 'lively');
        const before = await runningPlugin(host);
        await restartEngine();
        expect((await runningPlugin(host)).pid).toBe(before.pid);
        await writer.goesOn();
        await writer.remove();
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'lively']);
      });

      test('mounts as ever after an engine restart under live-restore without containers', async () => {
        await createVolume(host, 'calm');
        await restartEngine();
        await onVolume(host, 'calm', 'echo mine >/data/owner; sync');
        await untilNothingLeft(array, host);
        expect(await onVolume(host, 'calm', 'cat /data/owner')).toBe('mine');
        await host.docker(['volume', 'rm', 'calm']);
      });

      // Where the engine's directory is a slave mount (systemd's MountFlags=slave, an engine in a container) only the
      // engine shares the plugin's directory, undoes that when it ends without containers, and does not do it again
      // when it starts: what the plugin mounts stays on its side, and containers would write to the host's disk.
      // [moby manager_linux.go Shutdown]
      test('refuses to mount where a restart under live-restore has cut it off from the host, and mends that', async () => {
        await configureEngine({ 'live-restore': false });
        await host.stopDockerd();
        await host.exec(['mount', '--bind', '/var/lib/docker', '/mnt']);
        await host.exec(['mount', '--make-slave', '/var/lib/docker']);
        await configureEngine({ 'live-restore': true });
        await createVolume(host, 'lost');
        await onVolume(host, 'lost', 'echo mine >/data/owner; sync');
        await restartEngine();
        const { pid } = await runningPlugin(host);
        const other = onVolume(host, 'lost', 'echo other >/data/owner');
        await expect(other).rejects.toThrow(/the host does not see/);
        expect(await volumeMounts(host)).toEqual([]);
        // It ends, and the engine starts it with a directory that both share again.
        await until('the plugin to have started anew', async () => (await runningPlugin(host)).pid !== pid);
        expect(await onVolume(host, 'lost', 'cat /data/owner')).toBe('mine');
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'lost']);
        await configureEngine({ 'live-restore': false });
        await host.stopDockerd();
        await host.exec(['umount', '/mnt']);
        await host.exec(['mount', '--make-shared', '/var/lib/docker']);
        await host.startDockerd();
      });

      async function restartEngine(): Promise<void> {
        await host.stopDockerd();
        await host.startDockerd();
      }

      async function configureEngine(settings: Readonly<Record<string, unknown>>): Promise<void> {
        const write = 'mkdir -p /etc/docker && cat >/etc/docker/daemon.json';
        await host.stopDockerd();
        await host.exec(['sh', '-c', write], { input: JSON.stringify(settings) });
        await host.startDockerd();
      }

      test('leaves all data on the array when it is removed by force', async () => {
        await createVolume(host, 'precious');
        await onVolume(host, 'precious', 'echo gold >/data/a; mkdir /data/b; echo silver >/data/b/c; sync');
        const writer = await Writer.start(host, 'precious');
        await host.docker(['plugin', 'rm', '--force', DRIVER]);
        await writer.goesOn();
        await host.docker(['rm', '--force', writer.name]);
        await installPlugin(host, array, published, stageSettings);
        expect(await onVolume(host, 'precious', 'cat /data/a /data/b/c; [ -s /data/log ]')).toBe(
          'gold\nsilver',
        );
        await untilNothingLeft(array, host);
        await host.docker(['volume', 'rm', 'precious']);
        expect(await host.docker(['volume', 'ls', '--quiet'])).toBe('');
      });
    });
  });
}
