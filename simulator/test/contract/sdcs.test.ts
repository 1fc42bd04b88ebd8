import { describe, expect, test } from 'vitest';
import { guidA, guidB, refused, simulate } from './gateway-client.ts';

describe('what an SDC shows', () => {
  test('[csi, rexray] the GUID is upper-case, whatever the SDC sent', async () => {
    const { sim, client } = await simulate();
    await sim.connectSdc({ guid: guidA.toLowerCase() });
    expect((await client.list('Sdc'))[0]).toMatchObject({ sdcGuid: guidA, mdmConnectionState: 'Connected' });
  });

  test('[csi fixture] 2.6: the address stays when the SDC is disconnected', async () => {
    const { sim, client } = await simulate({ version: '2.6' });
    const sdc = await sim.connectSdc({ guid: guidA, ip: '10.0.0.1' });
    sdc.disconnect();
    const shown = await client.object('Sdc', sdc.id);
    expect(shown).toMatchObject({
      sdcIp: '10.0.0.1',
      mdmConnectionState: 'Disconnected',
      systemId: sim.systemId,
    });
    expect(shown).not.toHaveProperty('sdcIps');
  });

  test('[ansible samples] 3.6: no address when disconnected', async () => {
    const { sim, client } = await simulate({ version: '3.6' });
    const sdc = await sim.connectSdc({ guid: guidA, ip: '10.0.0.1' });
    expect(await client.object('Sdc', sdc.id)).toMatchObject({
      sdcIp: '10.0.0.1',
      sdcIps: ['10.0.0.1'],
      sdcType: 'AppSdc',
    });
    sdc.disconnect();
    expect(await client.object('Sdc', sdc.id)).toMatchObject({ sdcIp: 'N/A', sdcIps: null });
  });

  test('[csi] 4.5: the host type', async () => {
    const { sim, client } = await simulate({ version: '4.5' });
    const sdc = await sim.connectSdc({ guid: guidA });
    expect(await client.object('Sdc', sdc.id)).toMatchObject({ hostType: 'SdcHost', nqn: null });
  });

  test('[gsio] its volumes', async () => {
    const { sim, client } = await simulate();
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume();
    await client.createVolume();
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    const related = await client.get(`/api/instances/Sdc::${sdc.id}/relationships/Volume`);
    expect(related.body).toMatchObject([{ id }]);
  });
});

describe('restricted mode', () => {
  const approve = (sdcGuid: string) => ({ sdcGuid });

  test('[gsio, csi] Guid: an SDC not approved is not let in and cannot be mapped', async () => {
    const { sim, client } = await simulate({ restrictedSdcMode: 'Guid' });
    const sdc = await sim.connectSdc({ guid: guidA });
    expect(await client.object('Sdc', sdc.id)).toMatchObject({ sdcApproved: false });
    const id = await client.createVolume();
    const map = () => client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    expect(await map()).toMatchObject({ status: 500, body: { message: 'The SDC is not approved' } });
    const reply = await client.act('System', sim.systemId, 'approveSdc', approve(guidA));
    expect(reply).toMatchObject({ status: 200, body: { id: sdc.id } });
    expect((await map()).status).toBe(200);
    expect((await client.act('System', sim.systemId, 'approveSdc', approve(guidA))).body).toMatchObject({
      message: 'The SDC is already approved.',
    });
  });

  test('[gsio] an SDC can be approved before it is seen', async () => {
    const { sim, client } = await simulate({ restrictedSdcMode: 'Guid' });
    const reply = await client.act('System', sim.systemId, 'approveSdc', { ...approve(guidB), name: 'soon' });
    const { id } = reply.body as { id: string };
    expect(await client.object('Sdc', id)).toMatchObject({
      name: 'soon',
      sdcApproved: true,
      mdmConnectionState: 'Disconnected',
    });
  });

  test('[gsio] ApprovedIp: the addresses count too', async () => {
    const { sim, client } = await simulate();
    const sdc = await sim.connectSdc({ guid: guidA, ip: '10.0.0.1' });
    const setIps = (ips: string[]) =>
      client.act('System', sim.systemId, 'setApprovedSdcIps', { sdcId: sdc.id, sdcApprovedIps: ips });
    expect((await setIps(['10.0.0.2'])).body).toMatchObject({
      message: 'The current SDC IP must be in the set of IPs.',
    });
    expect((await setIps(['10.0.0.1'])).status).toBe(200);
    const mode = await client.act('System', sim.systemId, 'setRestrictedSdcMode', {
      restrictedSdcMode: 'ApprovedIp',
    });
    expect(mode).toMatchObject({ status: 200, text: '{}' });
    expect(await client.object('Sdc', sdc.id)).toMatchObject({
      sdcApproved: true,
      sdcApprovedIps: ['10.0.0.1'],
    });
    expect((await client.list('System'))[0]).toMatchObject({
      restrictedSdcMode: 'ApprovedIp',
      restrictedSdcModeEnabled: true,
    });
  });

  test('[gsio] bad values are told with the good ones', async () => {
    const { sim, client } = await simulate();
    const act = (action: string, body: object) => client.act('System', sim.systemId, action, body);
    expect((await act('setRestrictedSdcMode', { restrictedSdcMode: 'random' })).body).toEqual({
      message:
        'restrictedSdcMode should get one of the following values: None, Guid, ApprovedIp, but its value is random',
      httpStatusCode: 400,
      errorCode: 0,
    });
    expect((await act('approveSdc', {})).body).toMatchObject({
      message:
        'Request message is not valid: One of the parameter(s) must be part of the request body: sdcIp, sdcIps, sdcGuid',
    });
  });

  test('[codes] an SDC with mappings cannot be shut out', async () => {
    const { sim, client } = await simulate();
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume();
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    const reply = await client.act('System', sim.systemId, 'setRestrictedSdcMode', {
      restrictedSdcMode: 'ApprovedIp',
    });
    expect(reply.body).toMatchObject({
      message: 'Approve the IP addresses for the SDC or remove its mappings',
    });
    expect((await client.list('System'))[0]).toMatchObject({ restrictedSdcMode: 'None' });
  });
});

describe('change', () => {
  test('[gsio sdc_test.go] names', async () => {
    const { sim, client } = await simulate();
    const a = await sim.connectSdc({ guid: guidA });
    await sim.connectSdc({ guid: guidB, name: 'taken' });
    const rename = (body: object) => client.act('Sdc', a.id, 'setSdcName', body);
    expect(await rename({ sdcName: 'host-a' })).toMatchObject({ status: 200, text: '{}' });
    expect(await rename({ sdcName: 'taken' })).toMatchObject({
      status: 500,
      body: { message: 'SDC name is already in use. Please use a different name.' },
    });
    expect(await rename({ sdcName: ' ' })).toMatchObject({ status: 500 });
    expect(await rename({})).toMatchObject({
      status: 400,
      body: {
        message:
          'Request message is not valid: The following parameter(s) must be part of the request body: sdcName',
      },
    });
  });

  test('[codes] remove: not while connected, not while mapped (180)', async () => {
    const { sim, client } = await simulate();
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume();
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    const remove = () => client.act('Sdc', sdc.id, 'removeSdc');
    expect((await remove()).body).toMatchObject({
      message: 'Cannot remove an SDC which is currently connected to the MDM.',
    });
    sdc.disconnect();
    expect(await remove()).toMatchObject(refused(180));
    await client.act('Volume', id, 'removeMappedSdc', { sdcId: sdc.id });
    expect((await remove()).status).toBe(200);
    expect(await client.get(`/api/instances/Sdc::${sdc.id}`)).toMatchObject(refused(80));
  });

  test('[ansible, gsio] performance profile', async () => {
    const { sim, client } = await simulate();
    const { id } = await sim.connectSdc({ guid: guidA });
    const set = (perfProfile: string) =>
      client.act('Sdc', id, 'setSdcPerformanceParameters', { perfProfile });
    expect((await set('Compact')).status).toBe(200);
    expect(await client.object('Sdc', id)).toMatchObject({ perfProfile: 'Compact' });
    expect((await set('Invalid')).body).toMatchObject({
      message:
        'perfProfile should get one of the following values: Compact, HighPerformance, but its value is Invalid',
    });
  });
});
