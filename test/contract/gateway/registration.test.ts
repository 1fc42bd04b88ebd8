import { describe, expect, test } from 'vitest';
import { simulated, soon, twoSdcs } from './simulated.ts';

const GUID = '11111111-1111-1111-1111-111111111111';
const NEW_GUID = '33333333-3333-3333-3333-333333333333';

describe.each(['2.6', '3.6', '4.5'] as const)('registering an SDC at an array of version %s', (version) => {
  test('the array says whom it lets in and where its MDMs are, tie-breakers left out', async () => {
    const mdmIps = ['10.0.0.201', '10.0.0.202', '10.0.0.203'];
    const { gateway, simulator } = await simulated({ version, mdmIps, restrictedSdcMode: 'Guid' });
    expect(await gateway.registry.describeSystem(soon())).toEqual({
      id: simulator.systemId,
      restrictedMode: 'Guid',
      mdmAddresses: ['10.0.0.201', '10.0.0.202'],
    });
  });

  test('an SDC is found by its GUID in any case of letters, and no other', async () => {
    const { gateway, simulator } = await simulated({ version });
    const { one } = await twoSdcs(simulator);
    expect(await gateway.registry.findHost(GUID, soon())).toMatchObject({
      id: one,
      name: null,
      isApproved: true,
      state: 'connected',
      addresses: ['10.0.0.1'],
      approvedAddresses: [],
    });
    expect(await gateway.registry.findHost(NEW_GUID, soon())).toBeUndefined();
  });

  test('an SDC is approved once, seen or not yet seen', async () => {
    const { gateway, simulator } = await simulated({ version, restrictedSdcMode: 'Guid' });
    const { one, two } = await twoSdcs(simulator);
    const { registry } = gateway;
    expect(await registry.findHost(GUID, soon())).toMatchObject({
      isApproved: false,
      state: 'disconnected',
    });
    expect(await registry.approveHost(GUID, [], soon())).toBe(true);
    expect(await registry.approveHost(GUID, [], soon())).toBe(false);
    expect(await registry.findHost(GUID, soon())).toMatchObject({ id: one, isApproved: true });
    expect(await registry.findHost(GUID.replaceAll('1', '2'), soon())).toMatchObject({
      id: two,
      isApproved: false,
    });
    expect(await registry.approveHost(NEW_GUID, [], soon())).toBe(true);
    expect(await registry.findHost(NEW_GUID, soon())).toMatchObject({ isApproved: true });
  });

  test('in mode ApprovedIp it is the addresses that let it in, of a new approval or of an old one', async () => {
    const { gateway, simulator } = await simulated({ version, restrictedSdcMode: 'ApprovedIp' });
    const { two } = await twoSdcs(simulator);
    const { registry } = gateway;
    const [other] = [GUID.replaceAll('1', '2')];
    await registry.approveHost(GUID, ['10.0.0.1'], soon());
    await registry.approveHost(other, [], soon());
    const approved = async (guid: string) => (await registry.findHost(guid, soon()))?.isApproved;
    expect([await approved(GUID), await approved(other)]).toEqual([true, false]);
    await registry.setApprovedAddresses(two, ['10.0.0.2', '10.0.0.7'], soon());
    expect(await registry.findHost(other, soon())).toMatchObject({
      isApproved: true,
      approvedAddresses: ['10.0.0.2', '10.0.0.7'],
    });
  });

  test('a name is given, or refused when another SDC has it', async () => {
    const { gateway, simulator } = await simulated({ version });
    const { one, two } = await twoSdcs(simulator);
    const { registry } = gateway;
    expect(await registry.renameHost(one, 'node-1', soon())).toBe(true);
    expect(await registry.renameHost(two, 'node-1', soon())).toBe(false);
    expect(await registry.findHost(GUID, soon())).toMatchObject({ name: 'node-1' });
    await expect(registry.renameHost(two, 'x'.repeat(32), soon())).rejects.toThrow('31 characters');
  });

  test('what is no GUID is refused', async () => {
    const { gateway, simulator } = await simulated({ version, restrictedSdcMode: 'Guid' });
    await twoSdcs(simulator);
    await expect(gateway.registry.approveHost('not a GUID', [], soon())).rejects.toMatchObject({
      code: 'GATEWAY_REJECTED',
    });
  });
});
