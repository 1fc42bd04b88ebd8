import * as z from 'zod';
import { HostNeededError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { ACTION_SCHEMAS } from '../../volumes/action-schemas.ts';
import { findByName } from '../../volumes/life/lookup.ts';
import { arrayNameFor, validateVolumeName } from '../../volumes/naming.ts';
import { describeHolder } from '../../volumes/takeover/holders.ts';
import { assertVolumes, knownCaller } from './caller.ts';
import type { Changes } from './changes.ts';
import type { ApiParts } from './parts.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';
import { changeHeaders, snapshotBody, snapshotParams, volumeParams } from './wishes.ts';

const READ_MS = 60_000;

/** Snapshots: taken, listed, removed. */
export function addSnapshotRoutes(server: ApiServer, parts: ApiParts, changes: Changes): void {
  addTaking(server, parts, changes);
  addListing(server, parts);
  addSnapshotRemoval(server, parts, changes);
}

function addTaking(server: ApiServer, parts: ApiParts, changes: Changes): void {
  const { actions } = parts;
  server.post(
    `${ROOT}/snapshots`,
    {
      schema: {
        ...about('snapshots', 'takeSnapshots', 'take a snapshot of volumes, all of one instant'),
        headers: changeHeaders,
        body: snapshotBody,
        response: { 200: ACTION_SCHEMAS.takeSnapshots.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { volumes: names, name = null, expire = null, secure = null } = request.body;
      const wanted = { names, snapshot: name, expireMs: expire, secureForMinutes: secure };
      return changes.make(request, reply, {
        action: 'take-snapshot',
        target: names.map((one) => quote(one)).join(', '),
        volumes: names,
        work: async (signal) => {
          if (request.body.frozen) await assertUnattached(parts, names, signal);
          return [...(await actions.takeSnapshots(wanted, signal))];
        },
        outcome: (taken) =>
          taken
            .map(({ volume, snapshot, consistency }) => `${volume}@${snapshot}, ${consistency}`)
            .join('; '),
      });
    },
  );
}

function addListing(server: ApiServer, { actions }: ApiParts): void {
  server.get(
    `${ROOT}/volumes/:name/snapshots`,
    {
      schema: {
        ...about('snapshots', 'listSnapshots', 'list the snapshots of a volume: age, expiry, consistency'),
        params: volumeParams,
        response: { 200: ACTION_SCHEMAS.listSnapshots.result, ...REFUSALS },
      },
    },
    async (request) => {
      const { name } = request.params;
      assertVolumes(knownCaller(request), [name]);
      const { snapshots, ...rest } = await actions.listSnapshots({ name }, AbortSignal.timeout(READ_MS));
      return { ...rest, snapshots: [...snapshots] };
    },
  );
}

function addSnapshotRemoval(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.delete(
    `${ROOT}/volumes/:name/snapshots/:snapshot`,
    {
      schema: {
        ...about('snapshots', 'removeSnapshot', 'remove one snapshot, and nothing else of its volume'),
        params: snapshotParams,
        headers: changeHeaders,
        response: { 204: z.null(), ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { name, snapshot } = request.params;
      await changes.make(request, reply, {
        action: 'remove-snapshot',
        target: quote(`${name}@${snapshot}`),
        volumes: [name],
        work: (signal) => actions.removeSnapshot({ name, snapshot }, signal),
        outcome: () => 'removed',
      });
      return reply.code(204).send(null);
    },
  );
}

/** What no host has is still. Rejects with HostNeededError that says which hosts would have to freeze the others. */
async function assertUnattached(
  { array, prefix }: Pick<ApiParts, 'array' | 'prefix'>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    const volume = await findByName(array, arrayNameFor(prefix, validateVolumeName(name)), signal);
    const holders = volume?.attachments.map(describeHolder) ?? [];
    if (volume?.attachedToAll === true) holders.push('every host');
    if (holders.length > 0)
      throw new HostNeededError(
        `no snapshot was taken: volume ${quote(name)} is in use on host ${holders.join(', ')}, which would have to freeze it, and does not offer the operator's door to this steward`,
        { remedy: 'use docker-volume-scaleio volume snapshot there, or take one that is crash-consistent' },
      );
  }
}
