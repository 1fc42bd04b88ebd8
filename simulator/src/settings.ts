import * as z from 'zod';
import { STANDARD_PASSWORD } from './gateway/standard-password.ts';
import { API_VERSIONS } from './mdm/cluster.ts';

const GIB = 1024 * 1024;

const pool = z.strictObject({
  name: z.string(),
  /** Devices in the pool, dealt out over the domain's SDSs in turn. */
  devices: z.int().min(0).default(3),
  deviceGiB: z.int().min(90).default(4096),
  zeroPadding: z.boolean().default(true),
  sparePercentage: z.number().min(0).max(90).default(10),
  mediaType: z.enum(['HDD', 'SSD']).default('HDD'),
  dataLayout: z.enum(['MediumGranularity', 'FineGranularity']).default('MediumGranularity'),
});

const disk = z.strictObject({
  /** Name of the SDS: domain, "-sds" and a number from 1. */
  sds: z.string(),
  path: z.string(),
  gib: z.int().positive().default(4096),
  /** What is on it; null is a blank disk. */
  holds: z.string().nullable().default(null),
});

const domain = z.strictObject({
  name: z.string(),
  sdss: z.int().min(0).default(3),
  faultSets: z.array(z.string()).default([]),
  /** Disks that are no devices yet. An SDS of which none is named has a blank one at any path. */
  disks: z.array(disk).default([]),
  pools: z.array(pool).default([pool.parse({ name: 'sp1' })]),
});

const user = z.strictObject({
  name: z.string(),
  password: z.string(),
  role: z.enum(['Monitor', 'Configure', 'Administrator', 'SuperUser']).default('Administrator'),
});

const listener = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** 0 takes any free port. */
  port: z.int().min(0).max(65_535).default(0),
  tls: z.boolean().default(false),
});

/** How the simulated array is set up; the same names in the configuration file and in `startSimulator`. */
export const settingsSchema = z.strictObject({
  version: z.enum(API_VERSIONS).default('3.6'),
  gateways: z
    .array(listener)
    .min(1)
    .default([listener.parse({})]),
  mdm: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535).default(0) })
    .prefault({}),
  /** Host names and addresses that the server certificate is for, besides those listened on. */
  certificateHosts: z.array(z.string()).default([]),
  users: z
    .array(user)
    .min(1)
    .default([user.parse({ name: 'admin', password: STANDARD_PASSWORD })]),
  /** Null as on arrays that were never named. */
  systemName: z.string().nullable().default('simulated'),
  mdmIps: z.array(z.string()).min(1).default(['127.0.0.1']),
  domains: z.array(domain).default([domain.parse({ name: 'pd1' })]),
  restrictedSdcMode: z.enum(['None', 'Guid', 'ApprovedIp']).default('None'),
  limits: z
    .strictObject({
      volumes: z.int().positive(),
      snapshotsPerVtree: z.int().positive(),
      volumesPerSdc: z.int().positive(),
      maxVolumeKiB: z.int().positive(),
      devicesPerSds: z.int().positive(),
    })
    .partial()
    .default({}),
  /** Life of a token, and how long it lives without use [CloudStack]. */
  tokenLifeSeconds: z
    .number()
    .positive()
    .default(8 * 3600),
  tokenIdleSeconds: z.number().positive().default(600),
  /** From 4.0: errors of the gateway itself come as HTML pages of its ingress. */
  htmlErrors: z.boolean().default(false),
  /** Size of a disk that is added without saying how large it is. */
  newDeviceGiB: z.int().positive().default(4096),
  movementKiBPerSecond: z.number().positive().default(GIB),
  /** How far back the I/O counters of statistics reach. */
  ioWindowSeconds: z.number().positive().default(10),
  /** How long an unmapping waits for the host that loses the volume. */
  releaseTimeoutMs: z.number().positive().default(5000),
  durability: z.enum(['process', 'machine']).default('process'),
  journalBytes: z
    .int()
    .positive()
    .default(8 * 1024 * 1024),
  /** Serves /simulator, the fault controls. */
  faults: z.boolean().default(false),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;
