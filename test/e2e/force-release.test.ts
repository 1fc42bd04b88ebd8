import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { PluginSocket } from '../../lab/hosts/plugin-socket.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/** As docs/failover.md, "By hand", has it for the managed plugin. */
const INSTALL = `id=$(docker plugin inspect --format '{{.ID}}' scaleio)
install -m 755 "/var/lib/docker/plugins/$id/rootfs/usr/lib/docker-volume-scaleio/host-command" /usr/local/sbin/docker-volume-scaleio`;

interface Shown {
  readonly holders: readonly { readonly ip: string; readonly since: string | null; readonly state: string }[];
  readonly recentIo: number;
  readonly lastFence: { readonly outcome: string; readonly byName: string; readonly from: string } | null;
}

describe('the operator, with the managed plugin', () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2 });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
    for (const host of [one, other]) await host.exec(['sh', '-c', INSTALL]);
  });

  afterAll(async () => {
    await stage.close();
  });

  const volume = (host: Host, ...args: readonly string[]): Promise<string> =>
    host.exec(['/usr/local/sbin/docker-volume-scaleio', 'volume', ...args]);
  const show = async (host: Host): Promise<Shown> =>
    JSON.parse(await volume(host, 'show', 'db', '--json')) as Shown;

  test('takes a volume from a host that is alive and writes, with the command that the refusal names', async () => {
    await createVolume(one, 'db');
    await onVolume(one, 'db', 'echo synced >/data/before; sync');
    const startedMs = Date.now();
    const writer = await Writer.start(one, 'db');
    expect(await volume(other, 'ls')).toMatch(
      new RegExp(`^db +8 GiB +- +- +\\S+ +read-write +.*${one.address('storage')}.* unknown +-$`, 'm'),
    );
    const [holder] = (await show(one)).holders;
    expect(holder).toMatchObject({ ip: one.address('storage'), state: 'connected' });
    expect(Math.abs(Date.parse(holder?.since ?? '') - startedMs)).toBeLessThan(60_000);
    expect((await show(other)).holders).toMatchObject([{ ip: one.address('storage'), since: null }]);

    const refusal = await onVolume(other, 'db', 'true').catch(String);
    const command = /force it: docker-volume-scaleio (volume force-release db)/.exec(refusal)?.[1];
    expect(refusal).toContain(one.address('storage'));
    const args = (command ?? '').replace('volume ', '').split(' ');
    await expect(volume(other, ...args)).rejects.toThrow('needs --yes');
    await writer.goesOn();
    const forced = 'scaleio_fences_total{policy="forced",outcome="taken"}';
    const plugin = await PluginSocket.open(other);
    expect(await plugin.metric(forced)).toBe(0);
    expect(await volume(other, ...args, '--yes')).toMatch(
      new RegExp(`taken: from host .*${one.address('storage')}.* by operator root on host2, policy forced`),
    );
    expect(await plugin.metric(forced)).toBe(1);

    expect(await onVolume(other, 'db', 'cat /data/before')).toBe('synced');
    expect((await show(other)).lastFence).toMatchObject({ outcome: 'taken' });
    const status = await other.docker(['volume', 'inspect', '--format', '{{json .Status.lastFence}}', 'db']);
    expect(JSON.parse(status)).toMatchObject({ policy: 'forced', outcome: 'taken' });
    // Its next write is an I/O error; the container ends, and its host has nothing left of the volume.
    await expect
      .poll(() => one.docker(['inspect', '--format', '{{.State.Running}}', writer.name]), { timeout: 30_000 })
      .toBe('false');
    expect(await one.docker(['inspect', '--format', '{{.State.ExitCode}}', writer.name])).toBe('1');
    await untilNothingLeft(stage.array, one, 90_000);
    await untilNothingLeft(stage.array, other);
    expect(await mappedTo(stage.array, one)).toEqual([]);
    expect(await volume(one, 'force-release', 'db', '--yes')).toContain('held by nobody');
    await one.docker(['rm', writer.name]);
    await one.docker(['volume', 'rm', 'db']);
  });
});
