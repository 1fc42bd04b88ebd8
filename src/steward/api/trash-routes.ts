import * as z from 'zod';
import { quote } from '../../units/quote.ts';
import { ACTION_SCHEMAS } from '../../volumes/action-schemas.ts';
import { chooseTrashed, listTrash, type TrashedVolume } from '../../volumes/trash/list-trash.ts';
import { isTrashOf } from '../../volumes/trash/trash-names.ts';
import { assertVolumes, knownCaller } from './caller.ts';
import type { Changes } from './changes.ts';
import type { ApiParts } from './parts.ts';
import { ApiRefusal } from './problem.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';
import type { Grant } from './tokens.ts';
import { poolNames, trashedOfApi, trashedSchema } from './views.ts';
import { changeHeaders, trashParams, undeleteBody } from './wishes.ts';

const READ_MS = 60_000;

/** Removed volumes: listed, brought back. */
export function addTrashRoutes(server: ApiServer, parts: ApiParts, changes: Changes): void {
  const { actions, steward } = parts;
  server.get(
    `${ROOT}/trash`,
    {
      schema: {
        ...about('trash', 'listTrash', 'list the removed volumes that can still be had back'),
        response: { 200: z.object({ volumes: z.array(trashedSchema) }), ...REFUSALS },
      },
    },
    async (request) => {
      const grant = knownCaller(request);
      const pools = poolNames(steward.snapshot());
      const trash = await listTrash(parts, AbortSignal.timeout(READ_MS));
      return { volumes: trash.filter((one) => mayHave(grant, one)).map((one) => trashedOfApi(one, pools)) };
    },
  );
  server.post(
    `${ROOT}/trash/:name/undelete`,
    {
      schema: {
        ...about(
          'trash',
          'undeleteVolume',
          'bring a removed volume back, with its data, options and snapshots',
        ),
        params: trashParams,
        headers: changeHeaders,
        body: undeleteBody,
        response: { 200: ACTION_SCHEMAS.undelete.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name: wanted } = request.params;
      const { as } = request.body;
      let chosen: Chosen | undefined;
      return changes.make(request, reply, {
        action: 'undelete-volume',
        target: quote(wanted),
        volumes: as === undefined ? [] : [as],
        allowed: async (grant) => {
          const trash = await listTrash(parts, AbortSignal.timeout(READ_MS));
          chosen = allowedOf(grant, { trash, wanted, prefix: parts.prefix });
        },
        work: (signal) =>
          actions.undelete(
            { wanted: chosen?.trashed.volumeId ?? wanted, as: as ?? chosen?.name ?? null },
            signal,
          ),
        outcome: ({ name, volumeId }) => `back as ${quote(name)} (${volumeId})`,
      });
    },
  );
}

interface Chosen {
  readonly trashed: TrashedVolume;
  /** What it was called; null: nobody can tell. */
  readonly name: string | null;
}

/**
 * The volume of the trash that is meant, where the token may have it back. What it was called must be known whole: of a longer name the trash
 * has a beginning and a short hash, for which a name that the token may use is easily found.
 */
function allowedOf(
  grant: Grant,
  {
    trash,
    wanted,
    prefix,
  }: { readonly trash: readonly TrashedVolume[]; readonly wanted: string; readonly prefix: string },
): Chosen {
  const isId = trash.some(({ volumeId }) => volumeId === wanted);
  if (!isId) assertVolumes(grant, [wanted]);
  const trashed = chooseTrashed(trash, wanted, prefix);
  const name = isTrashOf(prefix, wanted, trashed.arrayName) ? wanted : trashed.name;
  if (mayHave(grant, trashed)) return { trashed, name };
  throw new ApiRefusal(
    403,
    'VOLUME_NOT_ALLOWED',
    `token "${grant.name}" may touch volumes ${grant.volumes.toString()}, and whether ${quote(wanted)} was one of these the trash cannot tell or denies; ` +
      'bring it back with a token for all volumes, or with volume undelete on a host',
  );
}

function mayHave({ volumes }: Grant, { name }: TrashedVolume): boolean {
  return name === null ? volumes.isEverything : volumes.matches(name);
}
