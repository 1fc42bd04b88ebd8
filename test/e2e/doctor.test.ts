import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { installPlugin } from '../../lab/hosts/scaleio-plugin.ts';
import { createVolume, Writer } from '../../lab/stage/containers.ts';
import { type ArrayStage, stageSettings, pluginStage } from '../../lab/stage/stage.ts';

/** As docs/failover.md, "By hand", has it for the managed plugin. */
const INSTALL = `id=$(docker plugin inspect --format '{{.ID}}' scaleio)
install -m 755 "/var/lib/docker/plugins/$id/rootfs/usr/lib/docker-volume-scaleio/host-command" /usr/local/sbin/docker-volume-scaleio`;
const DRV_CFG = '/opt/emc/scaleio/sdc/bin/drv_cfg';

interface Report {
  readonly findings: readonly { readonly check: string; readonly severity: string; readonly says: string }[];
}

describe('the doctor, with the managed plugin', () => {
  let stage: ArrayStage;
  let host: Host;

  beforeAll(async () => {
    stage = await pluginStage();
    host = stage.host;
    await host.exec(['sh', '-c', INSTALL]);
    await createVolume(host, 'db');
    await Writer.start(host, 'db');
  });

  afterAll(async () => {
    await stage.close();
  });

  async function examine(): Promise<Report & { status: number; lines: string[] }> {
    const script = '/usr/local/sbin/docker-volume-scaleio doctor --json; echo "status $?"';
    const output = await host.exec(['sh', '-c', script]);
    const [, json = '', status = ''] = /^(.*)\nstatus (\d+)$/s.exec(output) ?? [];
    expect(json).not.toContain(stage.array.password);
    const report = JSON.parse(json) as Report;
    const lines = report.findings.map(({ severity, check, says }) => `${severity}: ${check}: ${says}`);
    return { ...report, status: Number(status), lines };
  }

  test('finds a host that is well so, from inside of the plugin and with what the engine says', async () => {
    const { status, lines } = await examine();
    expect(lines.filter((line) => line.startsWith('problem'))).toEqual([]);
    // The lab's gateway speaks no TLS.
    expect(lines.filter((line) => line.startsWith('warning'))).toEqual([
      expect.stringContaining('the password can be read on the way'),
    ]);
    expect(status).toBe(10);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ok: Docker engine: version 20\.10/),
        expect.stringMatching(/^ok: managed plugin: "scaleio:latest" [0-9a-f]{12} is enabled/),
        expect.stringMatching(/^ok: volumes of this host: 1 mounted, 1 mapped/),
        expect.stringMatching(/^ok: SDC of this host: .* is connected to array/),
        expect.stringMatching(/^ok: MDM addresses: all/),
      ]),
    );
  });

  test('names what is broken, while everything is', async () => {
    await host.exec(['mv', DRV_CFG, `${DRV_CFG}.away`]);
    await stage.array.kill();
    const { status, lines } = await examine();
    expect(status).toBe(20);
    // Two causes, told once each.
    const problems = lines.filter((line) => line.startsWith('problem'));
    expect(problems).toEqual([
      expect.stringMatching(/^problem: SDC software/),
      expect.stringMatching(/^problem: network to http.*not looked at because of it: .*storage pool/),
    ]);
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^ok: Docker engine/)]));
    await stage.array.start();
    await host.exec(['mv', `${DRV_CFG}.away`, DRV_CFG]);
  });

  test('names a container that has its volume from a plugin that is no more', async () => {
    await host.docker(['plugin', 'rm', '--force', 'scaleio']);
    await installPlugin(host, stage.array, `${stage.lab.registry}/scaleio:latest`, stageSettings);
    const { lines } = await examine();
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^problem: pinned volume: container "writer-of-db" has volume "db"/),
      ]),
    );
  });
});
