import { CaFile } from '../host/ca-file.ts';
import { NotConnectedError, postOverTls } from '../host/tls-post.ts';
import { WatchedSecret } from '../host/watched-secret.ts';
import { ConfigError } from '../errors.ts';
import { currentRequestId } from '../observe/logging/request-context.ts';
import { doorClient, DoorClosedError, NotAskedError, type PostToDoor } from '../operator/door-client.ts';
import { onlyToken } from '../operator/door-tokens.ts';
import { ASKED_FOR } from '../operator/steward-calls.ts';
import type { Log } from '../runtime/log.ts';
import { HostAwayError, HostDoors, type HostActions } from '../steward/api/host-doors.ts';
import type { HostsPolicy } from '../steward/policy.ts';

/** For connection and handshake with one host; the next is asked after that. */
const CONNECT_MS = 3000;
/** What a door answers before it has read anything. */
const NOT_LET_IN = new Map([
  [401, "does not take this steward's token"],
  [429, 'has been shown too many wrong tokens from here'],
  [503, 'cannot use its own tokens file now, or is stopping'],
]);

/** The hosts that the policy names; none where it names none. Rejects with ConfigError where authorities or token cannot be read. */
export async function hostDoors(policy: HostsPolicy | undefined, log: Log): Promise<HostDoors> {
  if (policy === undefined) return new HostDoors([], log);
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
    actions: actionsOf(doorClient(`https://${address}`, posting(address, { token, ca }))),
  }));
  return new HostDoors(known, log);
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
  { token, ca }: { readonly token: () => Promise<string>; readonly ca: CaFile },
): PostToDoor {
  return async (path, body, signal) => {
    const id = currentRequestId();
    const headers = {
      authorization: `Bearer ${await shown(token)}`,
      ...(id === undefined ? {} : { [ASKED_FOR]: id }),
    };
    const post = { address, path, headers, ca: await ca.current(), connectMs: CONNECT_MS, signal };
    const answer = await postOverTls(post, body).catch((cause: unknown) => {
      if (cause instanceof NotConnectedError)
        throw new NotAskedError(`cannot be reached (${cause.message})`, { cause });
      throw cause;
    });
    const refusal = NOT_LET_IN.get(answer.status);
    if (refusal !== undefined) throw new NotAskedError(refusal);
    return answer;
  };
}

async function shown(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    if (cause instanceof ConfigError) throw new NotAskedError(`cannot be asked: ${cause.message}`, { cause });
    throw cause;
  }
}

function actionsOf(actions: HostActions): HostActions {
  return {
    takeSnapshots: (wanted, signal) => orAway(actions.takeSnapshots(wanted, signal)),
    restore: (wanted, signal) => orAway(actions.restore(wanted, signal)),
    limit: (wanted, signal) => orAway(actions.limit(wanted, signal)),
    rename: (wanted, signal) => orAway(actions.rename(wanted, signal)),
    grow: (wanted, signal) => orAway(actions.grow(wanted, signal)),
    create: (wanted, signal) => orAway(actions.create(wanted, signal)),
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
