import * as z from 'zod';
import { VolumeNotFoundError } from '../../errors.ts';
import { formatSize } from '../../units/size.ts';
import { quote } from '../../units/quote.ts';
import { ACTION_SCHEMAS } from '../../volumes/action-schemas.ts';
import { findByName } from '../../volumes/life/lookup.ts';
import { arrayNameFor, isOurs, validateVolumeName } from '../../volumes/naming.ts';
import { assertVolumes, knownCaller } from './caller.ts';
import type { Changes } from './changes.ts';
import type { ApiParts } from './parts.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';
import type { Grant } from './tokens.ts';
import { poolNames, shownVolumeSchema, volumeOfApi, volumeSchema, type VolumeOfApi } from './views.ts';
import { changeHeaders, growBody, limitBody, listQuery, volumeParams } from './wishes.ts';

const TAG = 'volumes';
const VOLUME_LIST = z.object({
  volumes: z.array(volumeSchema),
  total: z.int().describe('of those that the token may see and that match'),
  next: z.string().nullable().describe('for `after`; null: there are no more'),
});

/** Looking at volumes, and what is changed of them. */
export function addVolumeRoutes(server: ApiServer, parts: ApiParts, changes: Changes): void {
  addReading(server, parts);
  addGrowing(server, parts, changes);
  addLimiting(server, parts, changes);
  addRemoving(server, parts, changes);
}

function addGrowing(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/volumes/:name/grow`,
    {
      schema: {
        ...about(TAG, 'growVolume', 'make a volume larger; its file system follows within seconds, in use'),
        params: volumeParams,
        headers: changeHeaders,
        body: growBody,
        response: { 200: ACTION_SCHEMAS.grow.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name } = request.params;
      return changes.make(request, reply, {
        action: 'grow-volume',
        target: quote(name),
        volumes: [name],
        work: (signal) => actions.grow({ name, sizeKiB: request.body.size }, signal),
        outcome: ({ beforeKiB, sizeKiB }) => `${formatSize(beforeKiB)} to ${formatSize(sizeKiB)}`,
      });
    },
  );
}

function addLimiting(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/volumes/:name/limit`,
    {
      schema: {
        ...about(
          TAG,
          'limitVolume',
          'limit I/O operations and bandwidth of a volume, at once and on every later host',
        ),
        params: volumeParams,
        headers: changeHeaders,
        body: limitBody,
        response: { 200: ACTION_SCHEMAS.limit.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name } = request.params;
      const { iops = null, bandwidth: bandwidthKiBps = null } = request.body;
      return changes.make(request, reply, {
        action: 'limit-volume',
        target: quote(name),
        volumes: [name],
        work: async (signal) => {
          const { holders, ...limits } = await actions.limit({ name, iops, bandwidthKiBps }, signal);
          return { ...limits, holders: [...holders] };
        },
        outcome: (limits) => limitWords(limits),
      });
    },
  );
}

function addRemoving(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.delete(
    `${ROOT}/volumes/:name`,
    {
      schema: {
        ...about(
          TAG,
          'removeVolume',
          'remove a volume as docker volume rm does it: out of sight, until its grace is over',
        ),
        params: volumeParams,
        headers: changeHeaders,
        response: { 204: z.null(), ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      await changes.make(request, reply, {
        action: 'trash-volume',
        target: quote(name),
        volumes: [name],
        work: (signal) => actions.remove({ name, now: false }, signal),
        outcome: () => 'into the trash',
      });
      return reply.code(204).send(null);
    },
  );
}

function addReading(server: ApiServer, { array, activity, prefix, steward }: ApiParts): void {
  server.get(
    `${ROOT}/volumes`,
    {
      schema: {
        ...about(TAG, 'listVolumes', 'list the volumes that the token may see, by name'),
        querystring: listQuery,
        response: { 200: VOLUME_LIST, ...REFUSALS },
      },
    },
    async (request) => {
      const grant = knownCaller(request);
      const { search, limit, after } = request.query;
      const pools = poolNames(steward.snapshot());
      const read = await array.listVolumes((name) => isOurs(prefix, name), AbortSignal.timeout(READ_MS));
      const all = read
        .map((volume) => volumeOfApi(volume, { prefix, pools }))
        .filter(
          (volume) => maySee(grant, volume) && keyOf(volume).toLowerCase().includes(search.toLowerCase()),
        )
        .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      const rest = after === undefined ? all : all.filter((volume) => keyOf(volume) > after);
      const volumes = rest.slice(0, limit);
      const last = rest.length > limit ? volumes.at(-1) : undefined;
      return { volumes, total: all.length, next: last === undefined ? null : keyOf(last) };
    },
  );
  server.get(
    `${ROOT}/volumes/:name`,
    {
      schema: {
        ...about(TAG, 'showVolume', 'look at a volume as it is now, and at its I/O'),
        params: volumeParams,
        response: { 200: shownVolumeSchema, ...REFUSALS },
      },
    },
    async (request) => {
      const { name } = request.params;
      assertVolumes(knownCaller(request), [name]);
      const arrayName = arrayNameFor(prefix, validateVolumeName(name));
      const signal = AbortSignal.timeout(READ_MS);
      const volume = await findByName(array, arrayName, signal);
      if (volume === undefined) throw new VolumeNotFoundError(`the array has no volume "${name}"`);
      const io = (await activity.ioOf([volume.id], signal)).get(volume.id) ?? null;
      return { ...volumeOfApi(volume, { prefix, name, pools: poolNames(steward.snapshot()) }), io };
    },
  );
}

const READ_MS = 60_000;

/** Whose whole name nobody can tell from the array is shown to who may see all. */
function maySee({ volumes }: Grant, { name }: VolumeOfApi): boolean {
  return name === null ? volumes.isEverything : volumes.matches(name);
}

function keyOf({ name, arrayName }: VolumeOfApi): string {
  return name ?? arrayName;
}

function limitWords({ iops, bandwidthKiBps }: { iops: number; bandwidthKiBps: number }): string {
  return [
    iops === 0 ? 'no limit of I/O operations' : `${iops} I/O operations per second`,
    bandwidthKiBps === 0 ? 'no limit of bandwidth' : `${formatSize(bandwidthKiBps)} per second`,
  ].join(', ');
}
