import { refusal } from '../mdm/failures.ts';
import { volumesOfSdc } from '../mdm/mappings.ts';
import { removeSdc, sdcById, setPerformanceProfile, setSdcName } from '../mdm/sdcs.ts';
import type { ObjectType, TypeContext } from './object-type.ts';
import { sdcJson } from './sdc-json.ts';
import { sdcStatistics } from './statistics.ts';

/** SDCs: the clients on the hosts. */
export function sdcType({ array, change }: TypeContext): ObjectType {
  const { cluster } = array;
  const { sdcs } = cluster.state;
  const profiles =
    cluster.version === '2.6' ? ['Default', 'HighPerformance'] : ['Compact', 'HighPerformance'];
  return {
    name: 'Sdc',
    ids: () => [...sdcs.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(sdcJson(cluster, sdcById(cluster, id))),
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
