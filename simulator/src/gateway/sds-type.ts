import {
  changeDevice,
  createDevice,
  deviceById,
  removeDevice,
  setDeviceLimit,
  setDeviceName,
} from '../mdm/devices.ts';
import { refusal } from '../mdm/failures.ts';
import type { SdsRecord } from '../mdm/records.ts';
import {
  addSdsIp,
  createSds,
  removeSds,
  removeSdsIp,
  sdsById,
  setSdsIpRole,
  setSdsName,
} from '../mdm/sdss.ts';
import type { Action, ObjectType, TypeContext } from './object-type.ts';
import type { RequestFields } from './request-fields.ts';
import { deviceJson, sdsJson } from './sds-json.ts';
import { partsOf } from './sp-sds-type.ts';
import { deviceStatistics, sdsStatistics } from './statistics.ts';

const GIB = 1024 * 1024;

const ROLES = ['all', 'sdsOnly', 'sdcOnly'] as const;

/** Addresses of a new SDS come as `{"SdsIp":{"ip","role"}}`, or without the wrapper [gsio, ansible]. */
function addressOf(context: TypeContext, value: unknown): { ip: string; role: string } {
  const outer = context.fieldsOf(value);
  const inner = outer.has('SdsIp') ? context.fieldsOf(outer.raw('SdsIp')) : outer;
  return { ip: inner.text('ip'), role: inner.choice('role', ROLES) ?? 'all' };
}

/** SDSs: the servers that hold the devices. */
export function sdsType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { state } = cluster;
  return {
    name: 'Sds',
    ids: () => [...state.sdss.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(sdsJson(cluster, sdsById(cluster, id))),
    relations: {
      Device: (id) => ({ type: 'Device', ids: state.devicesBySds.ids(id) }),
      SpSds: (id) => ({ type: 'SpSds', ids: partsOf(state.devices.many(state.devicesBySds.ids(id))) }),
    },
    statistics: (id) => sdsStatistics(array, id),
    idByKey: (fields) => {
      const field = fields.oneOf('name', 'ip');
      const wanted = fields.text(field);
      const fits = (sds: SdsRecord): boolean =>
        field === 'name' ? sds.name === wanted : sds.ips.some(({ ip }) => ip === wanted);
      return [...state.sdss.values()].find(fits)?.id;
    },
    missing: () => refusal('TGT_NOT_FOUND'),
    create: async (fields) => {
      const ips = fields.list('sdsIpList').map((value) => addressOf(context, value));
      if (ips.length === 0) throw fields.missing('sdsIpList');
      const request = {
        name: fields.optional('name'),
        domainId: fields.id('protectionDomainId'),
        ips,
        port: fields.number('sdsPort'),
        drlMode: fields.choice('drlMode', ['Volatile', 'NonVolatile']),
        faultSetId: fields.optionalId('faultSetId'),
      };
      return (await array.perform((changed) => createSds(changed, request))).id;
    },
    actions: sdsActions(context),
  };
}

function sdsActions(context: TypeContext): Record<string, Action> {
  const { change } = context;
  const role = (fields: RequestFields, name: string): string => {
    const given = fields.choice(name, ROLES);
    if (given === undefined) throw fields.missing(name);
    return given;
  };
  return {
    setSdsName: change((cluster, id, fields) => {
      setSdsName(cluster, id, fields.text('name'));
    }),
    removeSds: change((cluster, id) => {
      removeSds(cluster, id);
    }),
    addSdsIp: change((cluster, id, fields) => {
      addSdsIp(cluster, id, { ip: fields.text('ip'), role: role(fields, 'role') });
    }),
    removeSdsIp: change((cluster, id, fields) => {
      removeSdsIp(cluster, id, fields.text('ip'));
    }),
    setSdsIpRole: change((cluster, id, fields) => {
      setSdsIpRole(cluster, id, { ip: fields.text('sdsIpToSet'), role: role(fields, 'newRole') });
    }),
  };
}

/** Devices: the disks of the SDSs. */
export function deviceType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { devices } = cluster.state;
  return {
    name: 'Device',
    ids: () => [...devices.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(deviceJson(cluster, deviceById(cluster, id))),
    relations: {},
    statistics: (id) => deviceStatistics(array, id),
    idByKey: (fields) => {
      const field = fields.oneOf('name', 'deviceCurrentPathname');
      const wanted = fields.text(field);
      const sdsId = fields.optionalId('sdsId');
      const fits = [...devices.values()].filter((device) => sdsId === undefined || device.sdsId === sdsId);
      return fits.find((device) => (field === 'name' ? device.name : device.path) === wanted)?.id;
    },
    missing: () => refusal('TGT_DEVICE_NOT_FOUND'),
    create: (fields) => addDevice(context, fields),
    actions: deviceActions(context),
  };
}

/** The size of a new disk: real arrays look at it, this one is told, or takes the set one. */
async function addDevice({ array }: TypeContext, fields: RequestFields): Promise<string> {
  const limitKiB = fields.number('capacityLimitInKb');
  const request = {
    name: fields.optional('name'),
    sdsId: fields.id('sdsId'),
    poolId: fields.id('storagePoolId'),
    path: fields.text('deviceCurrentPathname'),
    maxKiB: Math.max(array.settings.newDeviceGiB * GIB, limitKiB ?? 0),
    limitKiB,
    takeOver: fields.flag('forceDeviceTakeover'),
    mediaType: fields.choice('mediaType', ['HDD', 'SSD']),
  };
  return (await array.perform((changed) => createDevice(changed, request))).id;
}

function deviceActions({ array, change }: TypeContext): Record<string, Action> {
  return {
    removeDevice: async (id) => {
      await array.perform((cluster) => {
        removeDevice(cluster, id);
      });
      return undefined;
    },
    setDeviceName: change((cluster, id, fields) => {
      setDeviceName(cluster, id, fields.text('newName'));
    }),
    setDeviceCapacityLimit: change((cluster, id, fields) => {
      const size = fields.number('capacityLimitInGB');
      if (size === undefined) throw fields.missing('capacityLimitInGB');
      setDeviceLimit(cluster, id, size * GIB);
    }),
    setMediaType: change((cluster, id, fields) => {
      const mediaType = fields.text('mediaType');
      changeDevice(cluster, id, { mediaType });
    }),
    setExternalAccelerationType: async (id) => {
      await Promise.resolve(deviceById(array.cluster, id));
      return undefined;
    },
    updateDeviceOriginalPathname: async (id) => {
      await Promise.resolve(deviceById(array.cluster, id));
      return undefined;
    },
  };
}
