import { readFile } from 'node:fs/promises';
import { secretIn } from '../config/layers.ts';
import type { LocalSettings, Settings } from '../config/settings.ts';
import { createGateway, type Gateway, type RequestReport } from '../gateway/gateway.ts';
import { CaFile } from '../host/ca-file.ts';
import { systemClock } from '../host/clock.ts';
import { currentRequestId, requestTrace } from '../observe/logging/request-context.ts';
import type { Realm } from '../operator/realm.ts';
import type { Log } from '../runtime/log.ts';

/** How a program uses the gateway besides its settings. */
interface GatewayUse {
  readonly passwordFile?: string | undefined;
  readonly observer?: (report: RequestReport) => void;
}

/** The array behind the gateways of the settings. Asks nobody yet; rejects when the CA file cannot be read. */
export async function connectGateway(settings: Settings, log: Log, more: GatewayUse = {}): Promise<Gateway> {
  const { passwordFile, observer } = more;
  const password = settings.password.reveal();
  return createGateway({
    endpoints: settings.endpoints,
    username: settings.username,
    password: passwordFile === undefined ? password : () => passwordIn(passwordFile, password),
    ca: await authorities(settings, log),
    insecure: settings.insecure,
    ...(settings.system === undefined ? {} : systemWanted(settings.system)),
    requestTimeoutMs: settings.requestTimeoutMs,
    maxConcurrent: settings.maxConcurrent,
    owners: { current: currentRequestId, apart: (what, work) => requestTrace.apart(what, work) },
    clock: systemClock,
    log,
    observer,
  });
}

/** The last known one where the file cannot be read, as while somebody replaces it. */
async function passwordIn(file: string, known: string): Promise<string> {
  try {
    return secretIn(await readFile(file, 'utf8')) || known;
  } catch {
    return known;
  }
}

async function authorities({ caFile }: Settings, log: Log): Promise<(() => Promise<string>) | undefined> {
  if (caFile === undefined) return undefined;
  const file = await CaFile.open(caFile, log);
  return () => file.current();
}

function systemWanted(system: string): { systemId: string } | { systemName: string } {
  return /^[0-9a-f]{16}$/.test(system) ? { systemId: system } : { systemName: system };
}

/** Whose volumes a program with these settings works on, as its array says; that rejects with a PluginError while it says nothing. */
export function realmOf(
  array: Pick<Gateway, 'identity'>,
  { prefix }: Pick<LocalSettings, 'prefix'>,
): (signal: AbortSignal) => Promise<Realm> {
  return async (signal) => ({ systemId: (await array.identity(signal)).systemId, prefix });
}
