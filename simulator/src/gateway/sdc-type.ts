import { refusal } from '../mdm/failures.ts';
import { volumesOfSdc } from '../mdm/mappings.ts';
import { nvmeHostById } from '../mdm/nvme-hosts.ts';
import { removeSdc, sdcById, setPerformanceProfile, setSdcName } from '../mdm/sdcs.ts';
import type { NvmeHostRecord } from '../mdm/records.ts';
import type { ObjectType, TypeContext } from './object-type.ts';
import { nvmeControllerJson, nvmeHostJson, sdcJson } from './sdc-json.ts';
import { sdcStatistics } from './statistics.ts';

/** SDCs: the clients on the hosts. */
export function sdcType({ array, change }: TypeContext): ObjectType {
  const { cluster } = array;
  const { nvmeHosts, sdcs } = cluster.state;
  const profiles =
    cluster.version === '2.6' ? ['Default', 'HighPerformance'] : ['Compact', 'HighPerformance'];
  return {
    name: 'Sdc',
    ids: () => [...sdcs.values(), ...nvmeHosts.values()].map(({ id }) => id),
    text: (id) => {
      const host = nvmeHosts.get(id);
      return JSON.stringify(host ? nvmeHostJson(cluster, host) : sdcJson(cluster, sdcById(cluster, id)));
    },
    relations: {
      Volume: (id) => ({ type: 'Volume', ids: volumesOfSdc(cluster, id).map((volume) => volume.id) }),
    },
    statistics: (id) => sdcStatistics(array, id),
    idByKey: (fields) => {
      const field = fields.oneOf('ip', 'name', 'guid');
      const wanted = fields.text(field);
      const found = [...sdcs.values()].find((sdc) =>
        field === 'ip'
          ? sdc.ip === wanted
          : field === 'name'
            ? sdc.name === wanted
            : sdc.guid === wanted.toUpperCase(),
      );
      return found?.id;
    },
    keyOfName: (name) => ({ name }),
    missing: () => refusal('INI_NOT_FOUND'),
    actions: {
      setSdcName: change((changed, id, fields) => {
        setSdcName(changed, id, fields.text('sdcName'));
      }),
      removeSdc: change((changed, id) => {
        removeSdc(changed, id);
      }),
      setSdcPerformanceParameters: change((changed, id, fields) => {
        const profile = fields.choice('perfProfile', profiles);
        if (profile === undefined) throw fields.missing('perfProfile');
        setPerformanceProfile(changed, id, profile);
      }),
      queryVolumeSdcBwc: (id) => {
        const volumes = volumesOfSdc(cluster, id);
        return Promise.resolve(
          volumes.map((volume) => {
            const { read, write } = array.io.rates(
              (sdcId, volumeId) => sdcId === id && volumeId === volume.id,
            );
            return { volumeId: volume.id, sdcId: id, readBwc: read, writeBwc: write };
          }),
        );
      },
    },
  };
}

/** Hosts that use NVMe/TCP, since 4.0. */
export function hostType({ array }: TypeContext): ObjectType {
  const { cluster } = array;
  return {
    name: 'Host',
    ids: () => [...cluster.state.nvmeHosts.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(nvmeHostJson(cluster, nvmeHostById(cluster, id))),
    relations: {
      Volume: (id) => ({ type: 'Volume', ids: volumesOfSdc(cluster, id).map((volume) => volume.id) }),
      NvmeController: (id) => ({
        type: 'NvmeController',
        ids: nvmeHostById(cluster, id).controllers.map((controller) => controller.id),
      }),
    },
    missing: () => refusal('INI_NOT_FOUND'),
    actions: {},
  };
}

/** Paths of NVMe hosts, since 4.0. */
export function nvmeControllerType({ array }: TypeContext): ObjectType {
  const hosts = (): NvmeHostRecord[] => [...array.cluster.state.nvmeHosts.values()];
  return {
    name: 'NvmeController',
    ids: () => hosts().flatMap(({ controllers }) => controllers.map(({ id }) => id)),
    text: (id) => {
      for (const host of hosts()) {
        const index = host.controllers.findIndex((controller) => controller.id === id);
        if (index >= 0) return JSON.stringify(nvmeControllerJson(host, index));
      }
      throw refusal('NOT_FOUND');
    },
    relations: {},
    actions: {},
  };
}
