import { since } from '../mdm/cluster.ts';
import { COMPRESSION_METHODS, type CompressionMethod } from '../mdm/compression.ts';
import { invalidRequest, refusal } from '../mdm/failures.ts';
import {
  addMapping,
  removeMapping,
  setMappingAccessMode,
  setMappingLimits,
  type MappedHost,
} from '../mdm/mappings.ts';
import { mappedHostById } from '../mdm/nvme-hosts.ts';
import { sdcByGuid } from '../mdm/sdcs.ts';
import { lockAutoSnapshot } from '../mdm/policies.ts';
import { secureSnapshot } from '../mdm/snapshots.ts';
import { migrateVtree } from '../mdm/vtrees.ts';
import {
  createVolume,
  REMOVE_MODES,
  removeVolume,
  setAccessModeLimit,
  setCompression,
  setVolumeName,
  setVolumeSize,
  volumeById,
} from '../mdm/volumes.ts';
import type { Action, ObjectType, TypeContext } from './object-type.ts';
import type { RequestFields } from './request-fields.ts';
import { volumeStatistics } from './statistics.ts';
import { VolumeTexts } from './volume-json.ts';

const ACCESS_MODES = ['ReadWrite', 'ReadOnly', 'NoAccess'] as const;
const GIB = 1024 * 1024;

/** Volumes and snapshots. */
export function volumeType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { volumes, volumesByName } = cluster.state;
  const texts = new VolumeTexts(cluster);
  return {
    name: 'Volume',
    ids: () => [...volumes.values()].map((volume) => volume.id),
    text: (id) => texts.text(volumeById(cluster, id)),
    relations: {},
    statistics: (id) => volumeStatistics(array, id),
    idByKey: (fields) => volumesByName.first(fields.text('name')),
    keyOfName: (name) => ({ name }),
    missing: () => refusal('VOL_NOT_FOUND'),
    create: (fields) => create(context, fields),
    actions: {
      ...lifeActions(context),
      ...mappingActions(context),
      ...(since(cluster, '3.0') ? newerActions(context) : {}),
    },
  };
}

async function create({ array }: TypeContext, fields: RequestFields): Promise<string> {
  if (!fields.has('storagePoolId')) throw fields.missing('storagePoolId');
  const unit = fields.oneOf('volumeSizeInKb', 'volumeSizeInGb');
  const size = fields.number(unit) ?? 0;
  const request = {
    name: fields.optional('name'),
    sizeKiB: unit === 'volumeSizeInKb' ? size : size * GIB,
    poolId: fields.id('storagePoolId'),
    domainId: fields.optionalId('protectionDomainId'),
    type: fields.choice('volumeType', ['ThinProvisioned', 'ThickProvisioned']) ?? 'ThickProvisioned',
    useRmcache: fields.flag('useRmcache'),
    compressionMethod: compressionOf(array, fields),
    volumeClass: fields.optional('volumeClass'),
  };
  return (await array.perform((cluster) => createVolume(cluster, request))).id;
}

/** Since 3.0; before, nobody looks at it, and cinder sends it all the same. */
function compressionOf(
  { cluster }: TypeContext['array'],
  fields: RequestFields,
): CompressionMethod | undefined {
  return since(cluster, '3.0') ? fields.choice('compressionMethod', COMPRESSION_METHODS) : undefined;
}

function lifeActions({ array, change }: TypeContext): Record<string, Action> {
  return {
    removeVolume: change((cluster, id, fields) => {
      const mode = fields.choice('removeMode', REMOVE_MODES);
      if (mode === undefined) throw fields.missing('removeMode');
      removeVolume(cluster, id, mode);
    }),
    setVolumeSize: change((cluster, id, fields) => {
      const size = fields.number('sizeInGB');
      if (size === undefined) throw fields.missing('sizeInGB');
      setVolumeSize(cluster, id, size);
    }),
    setVolumeName: change((cluster, id, fields) => {
      setVolumeName(cluster, id, fields.text('newName'));
    }),
    setVolumeUseRmcache: change((cluster, id, fields) => {
      const useRmcache = fields.flag('useRmcache') ?? false;
      cluster.state.volumes.put({ ...volumeById(cluster, id), useRmcache });
    }),
    revertSnapshot: async (id, fields) => {
      const mode = fields.choice('revertMode', ['move', 'copy', 'toggle']);
      if (mode === undefined) throw fields.missing('revertMode');
      await array.revert({ targetId: id, sourceId: fields.id('volumeId'), mode });
      return undefined;
    },
  };
}

/**
 * The SDC that a request names: by id, by GUID, or all of them (whatever `allSdcs` holds). The id may be that of an NVMe host
 * [cinder].
 */
function sdcOf({ array }: TypeContext, fields: RequestFields): MappedHost | 'all' {
  const key = fields.oneOf('allSdcs', 'sdcId', 'guid');
  if (key === 'allSdcs') return 'all';
  return key === 'guid'
    ? sdcByGuid(array.cluster, fields.text('guid'))
    : mappedHostById(array.cluster, fields.id('sdcId'));
}

function oneSdcOf(context: TypeContext, fields: RequestFields): MappedHost {
  const sdc = sdcOf(context, fields);
  if (sdc === 'all') throw invalidRequest('allSdcs is not allowed in this request');
  return sdc;
}

function mappingActions(context: TypeContext): Record<string, Action> {
  const { array, change } = context;
  const fromSdc = (fields: RequestFields): MappedHost | 'all' => sdcOf(context, fields);
  const fromHost = (fields: RequestFields): MappedHost | 'all' =>
    fields.oneOf('allHosts', 'hostId') === 'allHosts'
      ? 'all'
      : mappedHostById(array.cluster, fields.id('hostId'));
  const add = (target: typeof fromSdc): Action =>
    change((cluster, id, fields) => {
      volumeById(cluster, id);
      const multi = fields.flag('allowMultipleMappings') ?? false;
      const accessMode = fields.choice('accessMode', ACCESS_MODES);
      addMapping(cluster, { volumeId: id, sdc: target(fields), multi, accessMode });
    });
  const remove = (target: typeof fromSdc): Action =>
    change((cluster, id, fields) => {
      volumeById(cluster, id);
      removeMapping(cluster, id, target(fields));
    });
  const hosts = { addMappedHost: add(fromHost), removeMappedHost: remove(fromHost) };
  return {
    addMappedSdc: add(fromSdc),
    removeMappedSdc: remove((fields) => {
      const sdc = fromSdc(fields);
      // No source takes a volume from an NVMe host with the old call.
      if (sdc !== 'all' && 'nqn' in sdc) throw refusal('INI_NOT_FOUND');
      return sdc;
    }),
    setMappedSdcLimits: change((cluster, id, fields) => {
      const { id: sdcId } = oneSdcOf(context, fields);
      const limits = {
        iops: fields.number('iopsLimit'),
        bandwidthKiBps: fields.number('bandwidthLimitInKbps'),
      };
      setMappingLimits(cluster, id, sdcId, limits);
    }),
    ...(since(array.cluster, '4.0') ? hosts : {}),
  };
}

function newerActions(context: TypeContext): Record<string, Action> {
  const { array, change } = context;
  return {
    overwriteVolumeContent: async (id, fields) => {
      const evenLocked = fields.flag('overwriteLockedAutoSnapshot') ?? false;
      await array.overwrite({ targetId: id, sourceId: fields.id('srcVolumeId'), evenLocked });
      return undefined;
    },
    setVolumeAccessModeLimit: change((cluster, id, fields) => {
      const limit = fields.choice('accessModeLimit', ACCESS_MODES);
      if (limit === undefined) throw fields.missing('accessModeLimit');
      setAccessModeLimit(cluster, id, limit);
    }),
    setVolumeMappingAccessMode: change((cluster, id, fields) => {
      const { id: sdcId } = oneSdcOf(context, fields);
      const mode = fields.choice('accessMode', ACCESS_MODES);
      if (mode === undefined) throw fields.missing('accessMode');
      setMappingAccessMode(cluster, id, sdcId, mode);
    }),
    setSnapshotSecurity: change((cluster, id, fields) => {
      secureSnapshot(cluster, id, fields.number('retentionPeriodInMin') ?? 0);
    }),
    modifyCompressionMethod: change((cluster, id, fields) => {
      const method = fields.choice('compressionMethod', COMPRESSION_METHODS);
      if (method === undefined) throw fields.missing('compressionMethod');
      setCompression(cluster, id, method);
    }),
    migrateVTree: change((cluster, id, fields) => {
      const poolId = fields.id('destSPId');
      const conversion = fields.choice('volTypeConversion', ['NoConversion', 'ThickToThin', 'ThinToThick']);
      const compressionMethod = fields.choice('compressionMethod', COMPRESSION_METHODS);
      migrateVtree(cluster, id, { poolId, conversion: conversion ?? 'NoConversion', compressionMethod });
    }),
    lockAutoSnapshot: change((cluster, id) => {
      lockAutoSnapshot(cluster, id, true);
    }),
    unlockAutoSnapshot: change((cluster, id) => {
      lockAutoSnapshot(cluster, id, false);
    }),
    unmarkForReplication: async (id) => {
      await Promise.resolve(volumeById(array.cluster, id));
      return undefined;
    },
  };
}
