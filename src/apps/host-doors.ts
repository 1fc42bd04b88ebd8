import { CaFile } from '../host/ca-file.ts';
import { NotConnectedError, postOverTls } from '../host/tls-post.ts';
import { WatchedSecret } from '../host/watched-secret.ts';
import { ConfigError } from '../errors.ts';
import { currentRequestId } from '../observe/logging/request-context.ts';
import { doorClient, DoorClosedError, NotAskedError, type PostToDoor } from '../operator/door-client.ts';
import { doorFailure } from '../operator/calls.ts';
import { onlyToken } from '../operator/door-tokens.ts';
import { REALM, realmHeader, type Realm } from '../operator/realm.ts';
import { ASKED_FOR } from '../operator/steward-calls.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { HostAwayError, HostDoors, type HostActions } from '../steward/api/host-doors.ts';
import type { HostsPolicy } from '../steward/policy.ts';

/** For connection and handshake with one host; the next is asked after that. */
const CONNECT_MS = 3000;
/** What a door answers before it has read anything, where its own words do not say more. */
const NOT_LET_IN = new Map([
  [401, "does not take this steward's token"],
  [429, 'has been shown too many wrong tokens from here'],
]);

/** The hosts that the policy names; none where it names none. Rejects with ConfigError where authorities or token cannot be read. */
export async function hostDoors(
  policy: HostsPolicy | undefined,
  parts: {
    /** What this steward works on. */
    readonly realm: (signal: AbortSignal) => Promise<Realm>;
    readonly clock: Pick<Clock, 'elapsed'>;
    readonly log: Log;
  },
): Promise<HostDoors> {
  const { realm, log } = parts;
  if (policy === undefined) return new HostDoors([], parts);
  const { caFile, tokenFile, doors } = policy;
  const ca = await CaFile.open(caFile, log).catch((cause: unknown) => {
    throw new ConfigError(
      `cannot read "${caFile}", the authorities of the hosts' certificates: ${String(cause)}`,
      {
        cause,
      },
    );
  });
  const token = tokenIn(tokenFile);
  await token();
  const known = doors.map(({ host, address }) => ({
    host,
    address,
    actions: actionsOf(
      (mine) => doorClient(`https://${address}`, posting(address, { token, ca, mine })),
      realm,
    ),
  }));
  return new HostDoors(known, parts);
}

/** Read again when it has changed. It rejects with ConfigError. */
function tokenIn(file: string): () => Promise<string> {
  const watched = new WatchedSecret(file);
  return async () => {
    try {
      const { text, mode } = await watched.read();
      return onlyToken(text, { file, mode });
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      throw new ConfigError(`cannot read "${file}", the token for the hosts: ${code}`, { cause });
    }
  };
}

function posting(
  address: string,
  {
    token,
    ca,
    mine,
  }: {
    readonly token: () => Promise<string>;
    readonly ca: CaFile;
    readonly mine: Realm;
  },
): PostToDoor {
  return async (path, body, signal) => {
    const id = currentRequestId();
    const headers = {
      authorization: `Bearer ${await shown(token)}`,
      [REALM]: realmHeader(mine),
      ...(id === undefined ? {} : { [ASKED_FOR]: id }),
    };
    const post = { address, path, headers, ca: await ca.current(), connectMs: CONNECT_MS, signal };
    const answer = await postOverTls(post, body).catch((cause: unknown) => {
      if (cause instanceof NotConnectedError)
        throw new NotAskedError(`cannot be reached (${cause.message})`, { cause });
      throw cause;
    });
    const refusal = NOT_LET_IN.get(answer.status) ?? wordsOf(answer);
    if (refusal !== undefined) throw new NotAskedError(refusal);
    return answer;
  };
}

/** Undefined where it has let the steward in. */
function wordsOf({ status, body }: { readonly status: number; readonly body: unknown }): string | undefined {
  if (status !== 421 && status !== 503) return undefined;
  const { data } = doorFailure.safeParse(body);
  return data?.message ?? `answers ${status}`;
}

async function shown(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    if (cause instanceof ConfigError) throw new NotAskedError(`cannot be asked: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Over a client of its own for each call; what the steward itself works on is told first, so that its array's silence is not taken for the host's. */
function actionsOf(
  client: (mine: Realm) => HostActions,
  realm: (signal: AbortSignal) => Promise<Realm>,
): HostActions {
  const mine = async (signal: AbortSignal): Promise<HostActions> => client(await realm(signal));
  return {
    takeSnapshots: async (wanted, signal) => orAway((await mine(signal)).takeSnapshots(wanted, signal)),
    restore: async (wanted, signal) => orAway((await mine(signal)).restore(wanted, signal)),
    limit: async (wanted, signal) => orAway((await mine(signal)).limit(wanted, signal)),
    rename: async (wanted, signal) => orAway((await mine(signal)).rename(wanted, signal)),
    grow: async (wanted, signal) => orAway((await mine(signal)).grow(wanted, signal)),
    create: async (wanted, signal) => orAway((await mine(signal)).create(wanted, signal)),
    lookAtRoom: async (wanted, signal) => orAway((await mine(signal)).lookAtRoom(wanted, signal)),
  };
}

async function orAway<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    if (cause instanceof DoorClosedError) throw new HostAwayError(cause.message, { cause });
    throw cause;
  }
}
