import { InvalidRequestError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { ACTION_SCHEMAS } from '../../volumes/action-schemas.ts';
import { splitSnapshot } from '../../volumes/copies/snapshot-names.ts';
import { nameOptions } from '../../volumes/options/option-names.ts';
import type { Changes } from './changes.ts';
import type { ApiParts } from './parts.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';
import { changeHeaders, createBody, renameBody, restoreBody, volumeParams } from './wishes.ts';

/** Volumes that come, that are called otherwise, and that go back to a snapshot. */
export function addLifeRoutes(server: ApiServer, parts: ApiParts, changes: Changes): void {
  addCreating(server, parts, changes);
  addRenaming(server, parts, changes);
  addRestoring(server, parts, changes);
}

function addCreating(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/volumes`,
    {
      schema: {
        ...about('volumes', 'createVolume', 'make a volume, or a writable copy of one or of a snapshot'),
        headers: changeHeaders,
        body: createBody,
        response: { 200: ACTION_SCHEMAS.create.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name, from, options } = request.body;
      const wanted = { name, options: from === undefined ? options : { ...options, from } };
      return changes.make(request, reply, {
        action: 'create-volume',
        target: quote(name),
        volumes: [name, ...sourcesOf(wanted.options)],
        work: async (signal) => {
          const { warnings, ...made } = await actions.create(wanted, signal);
          return { ...made, warnings: [...warnings] };
        },
        outcome: () => (from === undefined ? 'made' : `made of ${quote(from)}`),
      });
    },
  );
}

/** Each volume that may be meant, by whatever name of the option: one may be called as a snapshot of another is. Throws InvalidRequestError. */
function sourcesOf(options: Readonly<Record<string, string>>): readonly string[] {
  const { values, faults } = nameOptions(options);
  if (faults.length > 0) throw new InvalidRequestError(faults.join('; '));
  const from = values.get('from');
  if (from === undefined) return [];
  const parts = splitSnapshot(from);
  return parts === undefined ? [from] : [from, parts.volume];
}

function addRenaming(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/volumes/:name/rename`,
    {
      schema: {
        ...about('volumes', 'renameVolume', 'give a volume that nobody has another name'),
        params: volumeParams,
        headers: changeHeaders,
        body: renameBody,
        response: { 200: ACTION_SCHEMAS.rename.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name } = request.params;
      const { to } = request.body;
      return changes.make(request, reply, {
        action: 'rename-volume',
        target: quote(name),
        volumes: [name, to],
        work: (signal) => actions.rename({ name, to }, signal),
        outcome: () => `to ${quote(to)}`,
      });
    },
  );
}

function addRestoring(server: ApiServer, { actions }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/volumes/:name/restore`,
    {
      schema: {
        ...about('snapshots', 'restoreVolume', 'put the content of a snapshot back into its volume'),
        params: volumeParams,
        headers: changeHeaders,
        body: restoreBody,
        response: { 200: ACTION_SCHEMAS.restore.result, ...REFUSALS },
      },
    },
    (request, reply) => {
      const { name } = request.params;
      const { snapshot, keep = null } = request.body;
      return changes.make(request, reply, {
        action: 'restore-volume',
        target: quote(name),
        volumes: [name],
        work: (signal) => actions.restore({ name, snapshot, keepMs: keep }, signal),
        outcome: ({ keptAs }) =>
          `to ${quote(`${name}@${snapshot}`)}; before it: ${quote(`${name}@${keptAs}`)}`,
      });
    },
  );
}
