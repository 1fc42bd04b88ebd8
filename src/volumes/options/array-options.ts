import * as z from 'zod';
import type { Provisioning } from '../../array/volume.ts';
import { parseChoice, parseYesNo } from '../../units/choice.ts';
import { formatSize } from '../../units/size.ts';
import { FAILOVER_POLICIES, POLICY_CHOICES, type PolicyChoice } from '../volume.ts';
import { inAnotherPool, inGiB, limited, named, roundedToGrain } from './option-words.ts';
import { option } from './option.ts';
import { readBandwidthKiBps, readFlag, readIops, readObjectName, readSizeKiB } from './option-readers.ts';

const PROVISIONINGS: readonly Provisioning[] = ['thin', 'thick'];

/** What the array makes, holds and enforces. */
export const ARRAY_OPTIONS = {
  /** As asked for, KiB; the array rounds up to its grain. */
  sizeKiB: option({
    name: 'size',
    rexray: ['size'],
    read: readSizeKiB,
    standard: '16GiB',
    setting: {
      key: 'size',
      env: 'SCALEIO_SIZE',
      description: 'Size of new volumes that ask for none; the array rounds up to 8 GiB',
      takesNumber: true,
    },
    array: {
      differs({ volume, capabilities }, asked) {
        const rounded = roundedToGrain(asked, capabilities);
        if (volume.sizeKiB === rounded) return undefined;
        return `it has ${formatSize(volume.sizeKiB)}, ${formatSize(rounded)} was asked for`;
      },
      shown: { as: 'size', value: ({ known }) => (known.sizeKiB === null ? null : inGiB(known.sizeKiB)) },
    },
    label: { field: 'requestedKiB', form: z.number(), shown: { as: 'sizeRequested', value: inGiB } },
    docs: {
      meaning:
        'with any unit (`500GiB`, `1.5T`; all units are powers of 1024); a plain number is GiB. The array rounds up to 8 GiB, at most 1 PiB; Status shows both figures',
    },
  }),

  /** Name or id; undefined: the array's only one. */
  pool: option({
    name: 'pool',
    rexray: ['type', 'volumeType'],
    aliases: ['storagePool'],
    read: readObjectName,
    standard: undefined,
    setting: {
      key: 'pool',
      env: 'SCALEIO_POOL',
      description: "Storage pool of new volumes, by id or name; unset: the array's only one",
      rexray: [{ env: 'SCALEIO_STORAGEPOOLID' }, { env: 'SCALEIO_STORAGEPOOLNAME' }],
    },
    array: {
      differs: inAnotherPool,
      shown: { as: 'pool', value: ({ known, pool }) => pool?.name ?? known.poolId },
    },
    docs: {
      meaning:
        'storage pool, by name or id. A name that several domains have is an error unless `domain` decides',
    },
  }),

  /** Name or id; undefined: that of the pool. */
  domain: option({
    name: 'domain',
    aliases: ['protectionDomain'],
    read: readObjectName,
    standard: undefined,
    setting: {
      key: 'domain',
      env: 'SCALEIO_DOMAIN',
      description:
        'Protection domain of new volumes, by id or name; unset: where the pool is the only one of its name',
      rexray: [{ env: 'SCALEIO_PROTECTIONDOMAINID' }, { env: 'SCALEIO_PROTECTIONDOMAINNAME' }],
    },
    array: {
      differs: inAnotherPool,
      shown: { as: 'domain', value: ({ pool }) => pool?.domainName ?? null },
    },
    docs: { meaning: 'protection domain, by name or id' },
  }),

  provisioning: option({
    name: 'provisioning',
    aliases: ['thinOrThick'],
    read: (raw): Provisioning =>
      parseChoice(raw, PROVISIONINGS, { thinprovisioned: 'thin', thickprovisioned: 'thick' }),
    standard: 'thin',
    setting: {
      key: 'provisioning',
      env: 'SCALEIO_PROVISIONING',
      description: 'Provisioning of new volumes: thin or thick',
      rexray: [{ env: 'SCALEIO_THINORTHICK' }],
    },
    array: {
      differs: ({ volume: { kind } }, asked) =>
        kind === 'snapshot' || kind === asked ? undefined : `it is ${kind}, ${asked} was asked for`,
      shown: { as: 'provisioning', value: ({ volume }) => volume?.kind ?? null },
    },
    docs: { meaning: '`thin` or `thick`' },
  }),

  /** 0: no limit. */
  iops: option({
    name: 'iops',
    rexray: ['iops'],
    isService: true,
    read: readIops,
    standard: '0',
    label: {
      field: 'iops',
      form: z.number(),
      differs: (has, asked) => limited([has, asked], (iops) => `${iops} I/O operations per second`),
      shown: {
        as: 'iops',
        within: 'limits',
        value: (iops) => iops,
        // Files written for REX-Ray carry one that did nothing there.
        notes: (iops) => (iops > 0 ? { limitsNote: 'the array enforces iops; REX-Ray ignored it' } : {}),
      },
    },
    docs: {
      meaning:
        'limit of I/O operations per second, at least 11; enforced by the array for the host that has the volume',
      standard: 'none',
    },
  }),

  /** 0: no limit. */
  bandwidthKiBps: option({
    name: 'bandwidth',
    isService: true,
    read: readBandwidthKiBps,
    standard: '0',
    label: {
      field: 'bandwidthKiBps',
      form: z.number(),
      differs: (has, asked) => limited([has, asked], (kib) => `${formatSize(kib)} per second`),
      shown: { as: 'bandwidthKiBps', within: 'limits', value: (kib) => kib },
    },
    docs: { meaning: 'limit per second, a multiple of 1 MiB: `100MiB`', standard: 'none' },
  }),

  readOnly: option({
    name: 'readonly',
    read: readFlag,
    standard: 'false',
    array: {
      differs({ volume }, asked) {
        const has = volume.accessModeLimit === 'ReadOnly';
        if (has === asked) return undefined;
        return has
          ? 'it is limited to reading, and was asked for to be written'
          : 'it can be written, and was asked for to be read only';
      },
      // Of a volume whose size is not known only the journal tells, which does not say.
      shown: { as: 'readOnly', value: ({ known }) => (known.sizeKiB === null ? null : known.readOnly) },
    },
    docs: {
      meaning:
        'the array itself limits the volume to reading (3.0 and later); it can then be mounted on many hosts. How data gets in: [below](#data-that-is-only-read)',
    },
  }),

  failover: option({
    name: 'failover',
    isService: true,
    read: (raw): PolicyChoice => parseChoice(raw, POLICY_CHOICES),
    standard: 'default',
    setting: {
      key: 'failover',
      env: 'SCALEIO_FAILOVER',
      description:
        'When to take a volume from another host: never; disconnected: its SDC has lost the array; idle: or does no I/O; always',
      read: (raw: string) => parseChoice(raw, FAILOVER_POLICIES),
      standard: 'disconnected',
      isFollowed: true,
      rexray: [
        {
          env: 'REXRAY_PREEMPT',
          convert: (raw: string) => (parseYesNo(raw) ? 'disconnected' : 'never'),
          warning:
            'true means SCALEIO_FAILOVER=disconnected here (volumes of hosts that have lost the array, not of any host), ' +
            'false means SCALEIO_FAILOVER=never: no volume is taken from a dead host either',
        },
      ],
    },
    // On the array its marker tells it while nothing inside of the volume can be read (takeover/).
    array: {},
    label: {
      field: 'failover',
      // A policy that only a newer plugin knows is kept as it is written; `failoverOf` says what it means here.
      form: z.string(),
      differs: (has, asked) => named('its failover is', 'default', [has, asked]),
      shown: { as: 'failover', value: (policy) => policy },
    },
    docs: {
      meaning: 'when another host may take the volume: `never`, `disconnected`, `idle`, `always`',
    },
  }),
};
