import { randomUUID } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import { HostNeededError, RunningPluginError } from '../errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { certificateIn } from '../host/certificate-files.ts';
import type { ServerCertificate } from '../host/listener.ts';
import { WatchedSecret } from '../host/watched-secret.ts';
import { inRequest } from '../observe/logging/request-context.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { TokenFile } from '../runtime/token-file.ts';
import { ON_A_HOST, type HostDoors } from '../steward/api/host-doors.ts';
import type { EventStreams } from '../steward/api/events.ts';
import type { ApiActions, ApiParts } from '../steward/api/parts.ts';
import { serveApi, type ServedApi } from '../steward/api/serve-api.ts';
import { Tokens } from '../steward/api/tokens.ts';
import type { AuditTrail } from '../steward/audit.ts';
import type { Policy } from '../steward/policy.ts';
import type { Steward } from '../steward/steward.ts';
import { quote } from '../units/quote.ts';
import { lifeActionsWithout } from '../volumes/life/life-actions.ts';
import { dataActionsWithout, type DataActions } from '../volumes/data-actions.ts';
import { VolumeLock } from '../volumes/life/volume-lock.ts';
import { validateVolumeName } from '../volumes/naming.ts';
import { trashActionsWithout } from '../volumes/trash/trash-actions.ts';
import { trashFromAfar } from '../volumes/trash/trash-from-afar.ts';
import { newVolumesOf } from './create-defaults.ts';
import type { Part } from './lifecycle.ts';

/** What the API of a steward stands on. */
export interface StewardApiParts {
  readonly gateway: Gateway;
  readonly steward: Steward;
  readonly audit: AuditTrail;
  readonly events: EventStreams;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly poolIo: ApiParts['poolIo'];
  readonly hosts: HostDoors;
}

/**
 * The API that the settings ask for; nothing where they name no file of tokens. Rejects with ConfigError where that file or the
 * certificate cannot be used.
 */
export async function stewardApi(
  { settings, policy }: { readonly settings: Settings; readonly policy: Policy },
  parts: StewardApiParts,
): Promise<Part[]> {
  const { apiTokensFile, apiAddress: address, prefix } = settings;
  if (apiTokensFile === undefined) return [];
  const { gateway, log } = parts;
  const file = new TokenFile({
    file: apiTokensFile,
    source: new WatchedSecret(apiTokensFile),
    parse: (text, of) => new Tokens(text, of),
    log,
    words: { noneHolds: 'no token of the API holds now', readAgain: 'tokens of the API read again' },
  });
  await file.current();
  const certificate = certificateOf(settings);
  await certificate?.();
  const serve = (): Promise<ServedApi> =>
    serveApi(
      {
        ...parts,
        prefix,
        array: gateway,
        activity: gateway,
        inventory: gateway.inventory,
        actions: actionsFromAfar({ settings, policy }, parts),
        tokens: () => file.current(),
        newRequestId: randomUUID,
        inRequest,
      },
      { address, certificate },
    );
  let served: ServedApi | undefined;
  return [
    {
      name: 'the API',
      start: async () => {
        served = await serve();
      },
      stop: () => served?.close(),
    },
  ];
}

/** What can be done without being a host, and by way of one what cannot. The rest rejects with HostNeededError. */
function actionsFromAfar(
  { settings, policy }: { readonly settings: Settings; readonly policy: Policy },
  {
    gateway: array,
    clock,
    log,
    hosts,
  }: Pick<StewardApiParts, 'gateway' | 'clock' | 'log'> & { readonly hosts: HostDoors },
): ApiActions {
  const { prefix, removeGraceMs } = settings;
  const lock = new VolumeLock(clock);
  const { undelete } = trashActionsWithout({ array, prefix, clock, removeGraceMs });
  const data = dataFromAfar({ array, clock, lock, log, prefix });
  const isErasedHere = policy.act && policy.trash !== undefined && removeGraceMs > 0;
  return {
    ...data,
    ...lifeActionsWithout({ array, prefix, lock }, newVolumesOf(settings)),
    // Who needs no host gets none, and the steward's own lock is not held while one is waited for: hosts have theirs.
    limit: async (wanted, signal) => {
      try {
        return await data.limit(wanted, signal);
      } catch (cause) {
        if (!(cause instanceof HostNeededError)) throw cause;
        return hosts.askAny('limit', wanted, { why: cause.reason, cause, signal });
      }
    },
    create: (wanted, signal) =>
      hosts.askAny('create', wanted, {
        why: `volume ${quote(wanted.name)} was not made: a host has to attach it and see it through`,
        signal,
      }),
    restore: (wanted, signal) =>
      hosts.askAny('restore', wanted, {
        why: `volume ${quote(wanted.name)} was not restored: a host has to have it meanwhile and see it through`,
        signal,
      }),
    undelete: (request, signal) =>
      lock.run(request.as ?? request.wanted, 'undelete', signal, () =>
        undelete(request, signal).catch((cause: unknown) => {
          if (cause instanceof RunningPluginError) throw notThroughHosts(cause.reason, cause);
          throw cause;
        }),
      ),
    remove: async ({ name: raw }, signal) => {
      const name = validateVolumeName(raw);
      if (!isErasedHere)
        throw notThroughHosts(
          `volume "${name}" was not removed: this steward erases nothing (that takes SCALEIO_REMOVE_GRACE, and a policy with act: true and a section "trash")`,
        );
      await lock.run(name, 'Remove', signal, () => trashFromAfar({ array, clock, prefix }, name, signal));
    },
  };
}

function dataFromAfar(host: Omit<Parameters<typeof dataActionsWithout>[0], 'needsHost'>): DataActions {
  return dataActionsWithout({
    ...host,
    needsHost: (name) =>
      new HostNeededError(
        `volume "${name}" was not changed: no host has it, so a host has to mount it for a moment`,
      ),
  });
}

/** Hosts do nothing for stewards that takes data away, or brings it back under another name. */
function notThroughHosts(why: string, cause?: unknown): HostNeededError {
  return new HostNeededError(`${why}, and hosts do not do it for stewards`, { cause, remedy: ON_A_HOST });
}

/** Undefined where the settings name none. It rejects with ConfigError. */
function certificateOf({
  apiCertFile,
  apiKeyFile,
}: Settings): (() => Promise<ServerCertificate>) | undefined {
  if (apiCertFile === undefined || apiKeyFile === undefined) return undefined;
  return () => certificateIn({ certFile: apiCertFile, keyFile: apiKeyFile }, 'the API');
}
