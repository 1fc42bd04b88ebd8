import * as z from 'zod';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';
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
          const take = request.body.frozen ? whoCanFreeze(parts, names) : actions.takeSnapshots;
          return [...(await take(wanted, signal))];
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

/**
 * What no host has is still, so that the array alone is asked; else the host that has them. Rejects with HostNeededError that says which host
 * would have to freeze which volume, where none can be asked or several would have to at one instant.
 */
function whoCanFreeze(
  parts: Pick<ApiParts, 'array' | 'prefix' | 'hosts' | 'actions'>,
  names: readonly string[],
): ApiParts['actions']['takeSnapshots'] {
  return async (wanted, signal) => {
    const { holder, why } = await soleHolder(parts, names, signal);
    if (holder === undefined) return parts.actions.takeSnapshots(wanted, signal);
    const asked = { action: 'takeSnapshots', wanted } as const;
    return parts.hosts.askHolder(holder, asked, { needed: { why, remedy: OTHERWISE }, signal });
  };
}

const OTHERWISE = 'use docker-volume-scaleio volume snapshot there, or take one that is crash-consistent';

/** The host that has those volumes which a host has; undefined: none has any. */
async function soleHolder(
  { array, prefix }: Pick<ApiParts, 'array' | 'prefix'>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly holder: Attachment | undefined; readonly why: string }> {
  let sole: { readonly holder: Attachment; readonly why: string } | undefined;
  for (const name of names) {
    const volume = await findByName(array, arrayNameFor(prefix, validateVolumeName(name)), signal);
    const found = volume === undefined ? undefined : holderOf(name, volume);
    if (found !== undefined && sole !== undefined && sole.holder.hostId !== found.holder.hostId)
      throw new HostNeededError(
        `${found.inUse}, and another one on host ${describeHolder(sole.holder)}: they cannot be frozen on several hosts at one instant`,
        { remedy: 'take those of each host on their own, or one that is crash-consistent' },
      );
    if (found !== undefined)
      sole ??= { holder: found.holder, why: `${found.inUse}, which would have to freeze it` };
  }
  return sole ?? { holder: undefined, why: '' };
}

/** Undefined: nobody has it. Throws HostNeededError where several hosts have it. */
function holderOf(
  name: string,
  { attachments, attachedToAll }: Pick<ArrayVolume, 'attachments' | 'attachedToAll'>,
): { readonly holder: Attachment; readonly inUse: string } | undefined {
  const holders = [...attachments.map(describeHolder), ...(attachedToAll ? ['every host'] : [])];
  if (holders.length === 0) return undefined;
  const inUse = `no snapshot was taken: volume ${quote(name)} is in use on host ${holders.join(', ')}`;
  const [holder] = attachments;
  if (holder !== undefined && holders.length === 1) return { holder, inUse };
  throw new HostNeededError(`${inUse}, and cannot be frozen on several hosts at one instant`, {
    remedy: 'take one that is crash-consistent',
  });
}
