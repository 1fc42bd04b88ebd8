import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { BUSYBOX, importBusybox } from '../../lab/hosts/image.ts';
import { DRIVER, installPlugin } from '../../lab/hosts/scaleio-plugin.ts';
import { until } from '../../lab/hosts/until.ts';
import { askGateway, volumesOf } from './gateway-login.ts';
import { type ArrayStage, engineLog, stageSettings, pluginStage } from '../../lab/stage/stage.ts';

interface SeenSdc {
  readonly id: string;
  readonly name: string | null;
  readonly sdcGuid: string;
  readonly sdcApproved: boolean;
  readonly sdcApprovedIps: readonly string[] | null;
}

describe('a host that is added to a running Swarm', () => {
  let stage: ArrayStage;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 3 });
    await stage.lab.swarm();
  });

  afterAll(async () => {
    await stage.close();
  });

  afterEach(async () => {
    for (const id of (await manager('service', 'ls', '--quiet')).split('\n').filter(Boolean)) {
      await manager('service', 'rm', id);
    }
    // A host with a mapping cannot be shut out by another mode.
    await until('no volume to be mapped any more', async () => {
      return (await volumesOf(stage.array)).every(({ mappedSdcInfo }) => (mappedSdcInfo ?? []).length === 0);
    });
  });

  const manager = (...args: string[]): Promise<string> => stage.host.docker(args);

  async function restrict(mode: 'None' | 'Guid' | 'ApprovedIp'): Promise<void> {
    await actOnSystem('setRestrictedSdcMode', { restrictedSdcMode: mode });
  }

  async function actOnSystem(action: string, body: object): Promise<void> {
    const systems = await askGateway(stage.array, 'GET', '/api/types/System/instances');
    const [system] = systems as { readonly id: string }[];
    await askGateway(
      stage.array,
      'POST',
      `/api/instances/System::${system?.id ?? ''}/action/${action}`,
      body,
    );
  }

  async function sdcOf(host: Host): Promise<SeenSdc | undefined> {
    const sdcs = (await askGateway(stage.array, 'GET', '/api/types/Sdc/instances')) as SeenSdc[];
    return sdcs.find(({ sdcGuid }) => sdcGuid === stage.array.guidOf(host));
  }

  /** A new node of the Swarm whose SDC knows no MDM; what its administrator did is installing the plugin. */
  async function newcomer(settings: Record<string, string>): Promise<Host> {
    const host = await stage.lab.addHost();
    await stage.array.addHostWithoutMdm(host);
    await importBusybox(host);
    await stage.lab.joinSwarm(host);
    const published = `${stage.lab.registry}/scaleio:latest`;
    const all = { ...stageSettings, SCALEIO_JOIN_MDM: 'true', SCALEIO_JOIN_RETRY: '2s', ...settings };
    await installPlugin(host, stage.array, published, all);
    return host;
  }

  async function startService(host: Host): Promise<void> {
    const mount = `type=volume,source=on-${host.name},target=/data,volume-driver=${DRIVER},volume-opt=size=8GiB`;
    const where = [
      '--constraint',
      `node.hostname==${host.name}`,
      '--restart-delay',
      '1s',
      '--endpoint-mode',
      'dnsrr',
    ];
    const writes = ['sh', '-c', 'echo written >/data/a; sync; sleep 600'];
    await manager('service', 'create', '--detach', ...where, '--mount', mount, BUSYBOX, ...writes);
  }

  async function untilWritten(host: Host): Promise<void> {
    await until(
      `the service to write on ${host.name}`,
      async () => {
        const container = await host.docker(['ps', '--quiet']);
        return (await host.docker(['exec', container, 'cat', '/data/a'])) === 'written';
      },
      { timeoutMs: 90_000, everyMs: 250 },
    );
  }

  test.each(['None', 'Guid', 'ApprovedIp'] as const)(
    'runs a service with a volume after no more than installing the plugin, mode %s',
    async (mode) => {
      await restrict(mode);
      const host = await newcomer({ SCALEIO_JOIN_APPROVE: 'true', SCALEIO_JOIN_NAME: 'swarm-{host}' });
      await startService(host);
      await untilWritten(host);
      const addresses = mode === 'ApprovedIp' ? [host.address('storage')] : null;
      expect(await sdcOf(host)).toMatchObject({ sdcApproved: true, sdcApprovedIps: addresses });
      await until('the SDC to have its name', async () => (await sdcOf(host))?.name === `swarm-${host.name}`);
    },
  );

  test('is refused with the reason while nobody may approve it, and works by itself once somebody did', async () => {
    await restrict('Guid');
    const host = await newcomer({});
    await startService(host);
    const refusal = await until(
      'a task to be refused',
      async () => {
        const errors = await manager(
          'service',
          'ps',
          '--no-trunc',
          '--format',
          '{{.Error}}',
          await onlyService(),
        );
        return errors.split('\n').find((error) => error.includes('not-approved'));
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    const guid = stage.array.guidOf(host);
    expect(refusal).toContain(guid);
    expect(refusal).toContain('SCALEIO_JOIN_APPROVE=true');
    expect(await sdcOf(host)).toMatchObject({ sdcApproved: false });
    await actOnSystem('approveSdc', { sdcGuid: guid });
    await untilWritten(host);
    const steps = (await engineLog(host).lines()).filter(({ msg }) =>
      /^this host has (not )?joined/.test(msg),
    );
    expect(steps.at(-1)).toMatchObject({ step: 'joined' });
  });

  async function onlyService(): Promise<string> {
    return manager('service', 'ls', '--quiet');
  }
});
