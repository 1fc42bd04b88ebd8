import { describe, expect, onTestFinished, test } from 'vitest';
import { sdcNameBeside } from '../../../src/join/sdc-name.ts';
import type { JoinPolicy } from '../../../src/join/host-join.ts';
import { GUID, Scene } from './scene.ts';

/** A scene after `arrange`, joining since a moment. */
async function joining(arrange: (scene: Scene) => void, policy: Partial<JoinPolicy> = {}): Promise<Scene> {
  const scene = new Scene(policy);
  arrange(scene);
  scene.join.start();
  onTestFinished(() => scene.join.stop());
  await scene.pass(0);
  return scene;
}

const configured = (scene: Scene): void => {
  scene.mdms.push(['10.0.0.1', '10.0.0.2']);
};

describe('a host that is well', () => {
  test('joins without asking the array more than who it is, and asks nothing for an hour', async () => {
    const scene = await joining(configured);
    expect(scene.join.state).toMatchObject({ step: 'joined', remedy: '' });
    expect(scene.join.problem()).toBeUndefined();
    await scene.pass(3_600_000);
    expect(scene.calls).toEqual([]);
    expect(scene.lines).toHaveLength(1);
  });

  test('asks the array when somebody doubts, and forgets an identity that has changed', async () => {
    const scene = await joining(configured);
    scene.identity = { systemId: '3ef46cbf2aaf5d0f' as never, hostId: scene.sdcId, guid: GUID };
    scene.join.doubt();
    await scene.pass(0);
    expect(scene.calls).toEqual(['describeSystem', 'findSdc']);
    expect(scene.identity).toBeDefined();
    scene.sdcId = 'c7d0000000000009' as typeof scene.sdcId;
    scene.join.doubt();
    await scene.pass(0);
    expect(scene.identity).toBeUndefined();
  });

  test('sees without a doubt that it was registered under another id', async () => {
    const scene = await joining(configured);
    scene.identity = {
      systemId: '3ef46cbf2aaf5d0f' as never,
      hostId: 'c7d0000000000000' as never,
      guid: GUID,
    };
    await scene.pass(300_000);
    expect(scene.identity).toBeUndefined();
    expect(scene.calls).toEqual([]);
  });
});

describe('every state is left without a restart', () => {
  test.each<[string, (scene: Scene) => void, (scene: Scene) => void]>([
    ['sdc-missing', (scene) => (scene.installed = false), (scene) => (scene.installed = true)],
    ['sdc-stopped', (scene) => (scene.loaded = false), (scene) => (scene.loaded = true)],
    ['gateway-away', (scene) => (scene.gateway = 'down'), (scene) => (scene.gateway = 'up')],
    ['login-refused', (scene) => (scene.gateway = 'password'), (scene) => (scene.gateway = 'up')],
    ['mdm-missing', (scene) => scene.mdms.splice(0), configured],
    ['not-known', (scene) => (scene.network = false), (scene) => (scene.network = true)],
    ['not-approved', (scene) => (scene.mode = 'Guid'), (scene) => (scene.approved = true)],
    [
      'not-approved',
      (scene) =>
        Object.assign(scene, { mode: 'ApprovedIp', approved: true, approvedAddresses: ['10.0.1.8'] }),
      (scene) => (scene.approvedAddresses = ['10.0.1.7']),
    ],
    [
      'not-connected',
      (scene) => Object.assign(scene, { seen: true, network: false }),
      (scene) => (scene.network = true),
    ],
  ])('%s', async (step, hurt, mend) => {
    const scene = await joining((one) => {
      configured(one);
      hurt(one);
    });
    expect(scene.join.state.step).toBe(step);
    expect(scene.join.problem()).toContain(`"${step}"`);
    await scene.pass(60_000);
    expect(scene.join.state.step).toBe(step);
    expect(scene.calls.filter((call) => !/^(describeSystem|findSdc)$/.test(call))).toEqual([]);
    expect(scene.lines).toHaveLength(1);
    mend(scene);
    await scene.pass(step === 'login-refused' ? 160_000 : 10_000);
    expect(scene.join.state.step).toBe('joined');
    expect(scene.lines).toHaveLength(2);
  });

  test('a refused password is tried ever more rarely', async () => {
    const scene = await joining((one) => {
      configured(one);
      one.gateway = 'password';
    });
    const next = () => (scene.join.state.nextLook ?? 0) - scene.clock.elapsed();
    const pauses: number[] = [];
    while (pauses.length < 8) {
      pauses.push(next());
      await scene.pass(next());
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1000));
  });
});

describe('what the operator allows is done', () => {
  test('MDM addresses where there are none; nothing is removed', async () => {
    const scene = await joining(() => undefined, { mayWriteMdm: true });
    expect(scene.mdms).toEqual([['10.0.0.1', '10.0.0.2']]);
    await scene.pass(1000);
    expect(scene.join.state.step).toBe('joined');
  });

  test('MDM addresses that lack while it is not connected', async () => {
    const scene = await joining(
      (one) => {
        one.mdms.push(['10.0.0.2', '10.0.0.9']);
        one.network = false;
        one.seen = true;
      },
      { mayWriteMdm: true },
    );
    expect(scene.mdms).toEqual([['10.0.0.2', '10.0.0.9', '10.0.0.1']]);
  });

  test('addresses that may be a virtual one of this array are left alone', async () => {
    const scene = await joining((one) => one.mdms.push(['10.9.9.9']), { mayWriteMdm: true });
    await scene.pass(60_000);
    expect(scene.mdms).toEqual([['10.9.9.9']]);
    expect(scene.join.state).toMatchObject({
      step: 'mdm-missing',
      remedy: expect.stringContaining('mod_mdm_ip') as string,
    });
  });

  test.each(['Guid', 'ApprovedIp'] as const)('approval in mode %s, of this SDC alone, once', async (mode) => {
    const scene = await joining(
      (one) => {
        configured(one);
        one.mode = mode;
      },
      { mayApprove: true },
    );
    await scene.pass(30_000);
    expect(scene.join.state.step).toBe('joined');
    expect(scene.calls.filter((call) => call.startsWith('approve'))).toEqual([`approve ${GUID}`]);
    expect(scene.approvedAddresses).toEqual(mode === 'Guid' ? [] : ['10.0.1.7']);
  });

  test('an approved SDC that reports from a new address keeps the old ones approved', async () => {
    const scene = await joining(
      (one) => {
        configured(one);
        Object.assign(one, {
          mode: 'ApprovedIp',
          approved: true,
          approvedAddresses: ['10.0.1.8'],
          seen: true,
        });
      },
      { mayApprove: true },
    );
    expect(scene.approvedAddresses).toEqual(['10.0.1.8', '10.0.1.7']);
    await scene.pass(1000);
    expect(scene.join.state.step).toBe('joined');
  });

  test('an approval that does not help is not repeated for ever', async () => {
    const scene = await joining(
      (one) => {
        configured(one);
        one.mode = 'Guid';
        Object.defineProperty(one, 'approved', { get: () => false, set: () => undefined });
      },
      { mayApprove: true },
    );
    await scene.pass(120_000);
    expect(scene.calls.filter((call) => call.startsWith('approve'))).toHaveLength(1);
    expect(scene.join.state.step).toBe('not-approved');
  });
});

describe('the name of the SDC', () => {
  const named = (name: string | null, policy: Partial<JoinPolicy>, taken: string[] = []) =>
    joining(
      (one) => {
        configured(one);
        one.seen = true;
        one.name = name;
        one.otherNames.push(...taken);
      },
      { name: 'swarm-{host}', ...policy },
    );

  test('is given where there is none, once', async () => {
    const scene = await named(null, {});
    expect(scene.name).toBe('swarm-node-1');
    await scene.pass(900_000);
    expect(scene.calls).toHaveLength(2);
  });

  test('that a person gave stays, unless the operator says so', async () => {
    expect((await named('of a person', {})).name).toBe('of a person');
    expect((await named('of a person', { mayRename: true })).name).toBe('swarm-node-1');
  });

  test('that another SDC has gives way to one with a mark; both taken: none', async () => {
    const beside = sdcNameBeside('swarm-node-1', GUID);
    expect((await named(null, {}, ['swarm-node-1'])).name).toBe(beside);
    const scene = await named(null, {}, ['swarm-node-1', beside]);
    expect([scene.name, scene.join.state.step]).toEqual([null, 'joined']);
  });
});
