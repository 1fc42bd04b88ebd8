import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bundleFile } from '../../plugin/bundle.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { killHard } from '../../lab/hosts/process.ts';
import { PluginSocket } from '../../lab/hosts/plugin-socket.ts';
import { until } from '../../lab/hosts/until.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { askGateway, volumeNamed } from './gateway-login.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { PluginLog } from '../../lab/stage/plugin-log.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/** As docs/failover.md, "By hand", has it for the managed plugin. */
const INSTALL = `id=$(docker plugin inspect --format '{{.ID}}' scaleio)
install -m 755 "/var/lib/docker/plugins/$id/rootfs/usr/lib/docker-volume-scaleio/host-command" /usr/local/sbin/docker-volume-scaleio`;
const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
/** Who writes a line here ends what holds a device on that host. */
const END = '/run/end-of-repair';
const roundsMetric = 'scaleio_reconcile_rounds_total{outcome="ok"}';

/** Rule 13: only what is proven ours is undone. */
describe("what is not this plugin's", () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2, plugin: { SCALEIO_RECONCILE_INTERVAL: '1s' } });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
    for (const host of [one, other]) await host.exec(['sh', '-c', INSTALL]);
  });

  afterAll(async () => {
    await stage.close();
  });

  /** Another plugin on a host, beside the managed one; ends with the test. */
  async function second(
    host: Host,
    name: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<Second> {
    const all = {
      SCALEIO_ENDPOINT: stage.array.endpoint,
      SCALEIO_USERNAME: stage.array.user,
      SCALEIO_PASSWORD: stage.array.password,
      SCALEIO_INSECURE: 'true',
      SCALEIO_RECONCILE_INTERVAL: '1s',
      ...settings,
    };
    const places = [
      '--socket',
      `/run/${name}.sock`,
      '--state-dir',
      `/run/${name}`,
      '--mount-root',
      `/run/${name}-volumes`,
    ];
    const environment = Object.entries(all).map(([key, value]) => `${key}=${value}`);
    const pid = await host.start(name, ['env', ...environment, node, bundleFile, 'serve', ...places]);
    onTestFinished(() => killHard(pid));
    const log = new PluginLog(`${host.directory}/${name}.log`);
    return { log, socket: `/run/${name}.sock` };
  }

  /** How often the second plugin has compared the array with its journal. */
  async function rounds(host: Host, { socket }: Second): Promise<number> {
    const page = await host.exec(['curl', '--silent', '--unix-socket', socket, 'http://plugin/metrics']);
    const line = page.split('\n').find((one_) => one_.startsWith(`${roundsMetric} `));
    return Number(line?.slice(roundsMetric.length + 1));
  }

  async function untilRounds(host: Host, plugin: Second, count: number): Promise<void> {
    await until(`${count} rounds of the second plugin`, async () => (await rounds(host, plugin)) >= count);
  }

  test('a second plugin on one host serves nothing of the first', async () => {
    await createVolume(one, 'db');
    const writer = await Writer.start(one, 'db');
    expect(await command(one, 'volume', 'show', 'db')).toMatch(
      /^used +[\d.]+GiB of [\d.]+GiB, [\d.]+GiB free$/m,
    );
    const service = await second(one, 'service', {});
    await until('the refusal', async () => /are served by process \d+ already/.test(await said(service.log)));
    const mount = ['curl', '--silent', '--unix-socket', service.socket, '--data', '{"Name":"db","ID":"x"}'];
    expect(await one.exec([...mount, 'http://plugin/VolumeDriver.Mount'])).toMatch(
      /served by process \d+ already/,
    );
    await writer.goesOn();
    await writer.remove();
    await untilNothingLeft(stage.array, one);
  });

  // After the test above: hosts made of namespaces share /dev, where the lock of a GUID is.
  test('a host that bears the GUID of another leaves its volumes alone', async () => {
    const writer = await Writer.start(one, 'db');
    const twin = await second(other, 'twin', {
      SCALEIO_GUID: stage.array.guidOf(one),
      SCALEIO_DRV_CFG: '/none',
    });
    await untilRounds(other, twin, 3);
    await writer.goesOn();
    const words = await said(twin.log);
    expect(words).toMatch(/none of this host's addresses/);
    expect(words).toMatch(/mapped to this host, and not by this plugin: left as it is/);
    const mount = ['curl', '--silent', '--unix-socket', twin.socket, '--data', '{"Name":"db","ID":"x"}'];
    const refused = await other.exec([...mount, 'http://plugin/VolumeDriver.Mount']);
    expect(refused).toMatch(/did not do, and the array has the SDC with this host's GUID at/);
    await writer.goesOn();
    await writer.remove();
    await untilNothingLeft(stage.array, one);
  });

  test('a GUID that drv_cfg contradicts is refused', async () => {
    const wrong = await second(other, 'wrong', { SCALEIO_GUID: stage.array.guidOf(one) });
    await until('the refusal', async () => /is not this host's: drv_cfg says/.test(await said(wrong.log)));
  });

  /** Maps a volume to a host as an operator does, and opens its device there without O_EXCL, as qemu or a repair does. */
  async function mapByHand(host: Host, arrayName: string): Promise<void> {
    const { id } = await volumeNamed(stage.array, arrayName);
    const [system] = (await askGateway(stage.array, 'GET', '/api/types/System/instances')) as {
      id: string;
    }[];
    await askGateway(stage.array, 'POST', `/api/instances/Volume::${id}/action/addMappedSdc`, {
      guid: stage.array.guidOf(host),
      allowMultipleMappings: 'FALSE',
    });
    const link = `/dev/disk/by-id/emc-vol-${system?.id ?? ''}-${id}`;
    await until(`${link} on ${host.name}`, () => host.exec(['test', '-b', link]).then(() => true));
    const lines = `mkfifo -m 600 ${END}; exec 3<${link}; read line <${END}; rm ${END}`;
    await host.start('repair', ['sh', '-c', lines]);
    await until('the repair to begin', () => host.exec(['test', '-p', END]).then(() => true));
  }

  async function endRepair(host: Host): Promise<void> {
    await host.exec(['sh', '-c', `echo >${END}`]);
    await until('the repair to end', () => host.exec(['test', '!', '-e', END]).then(() => true));
  }

  const command = (host: Host, ...args: readonly string[]): Promise<string> =>
    host.exec(['/usr/local/sbin/docker-volume-scaleio', ...args]);

  test('a volume under repair stays, is told with who repairs it, and is let go of by command', async () => {
    await mapByHand(one, 'docker-db');
    const plugin = await PluginSocket.open(one);
    const before = (await plugin.metric(roundsMetric)) ?? 0;
    await until('three rounds', async () => ((await plugin.metric(roundsMetric)) ?? 0) >= before + 3);
    expect(await mappedTo(stage.array, one)).toHaveLength(1);
    expect(await plugin.metric('scaleio_unclaimed_mappings')).toBe(1);
    const open = /process \d+ "sh" has it open/;
    await until('the log', async () => open.test(await said(stage.log)));
    expect(await one.exec(['sh', '-c', '/usr/local/sbin/docker-volume-scaleio doctor || true'])).toMatch(
      /unclaimed mapping +volume "db" is mapped here, which this plugin did not do; process \d+ "sh" has it open/,
    );
    expect(await command(one, 'volume', 'show', 'db')).toMatch(/used here by +process \d+ "sh" has it open/);
    await expect(onVolume(one, 'db', 'true')).rejects.toThrow(/did not do, and process \d+ "sh" has it open/);
    await expect(one.docker(['volume', 'rm', 'db'])).rejects.toThrow(open);
    await expect(command(one, 'volume', 'release', 'db', '--yes')).rejects.toThrow(open);
    await endRepair(one);
    await command(one, 'volume', 'release', 'db', '--yes');
    expect(await mappedTo(stage.array, one)).toEqual([]);
    expect(Number(await onVolume(other, 'db', 'wc -l </data/log'))).toBeGreaterThan(0);
    await untilNothingLeft(stage.array, other);
  });

  test('a container takes up what was mapped by hand once nobody has the bare device open', async () => {
    await mapByHand(one, 'docker-db');
    await endRepair(one);
    expect(Number(await onVolume(one, 'db', 'wc -l </data/log'))).toBeGreaterThan(0);
    await untilNothingLeft(stage.array, one);
    await one.docker(['volume', 'rm', 'db']);
  });

  test('with an empty prefix the disk of another program stays', async () => {
    await stage.array.request('POST', '/simulator/seed', { count: 1, prefix: 'vm-disk-' });
    await mapByHand(other, 'vm-disk-1');
    const all = await second(other, 'all', { SCALEIO_PREFIX: 'none' });
    await untilRounds(other, all, 3);
    expect(await mappedTo(stage.array, other)).toHaveLength(1);
    expect(await said(all.log)).toMatch(/mapped to this host, and not by this plugin/);
  });
});

/** All that was logged, its quotes as people read them. */
async function said(log: PluginLog): Promise<string> {
  const lines = await log.lines();
  return lines.map((line) => JSON.stringify(line).replaceAll('\\"', '"')).join('\n');
}

interface Second {
  readonly log: PluginLog;
  /** On its host. */
  readonly socket: string;
}
