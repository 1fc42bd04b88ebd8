import { isPluginError } from '../errors.ts';
import { causing, failed, ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

/** What a gateway shows to whoever connects, before any log-in. */
export interface SeenGateway {
  /** Undefined without TLS. */
  readonly certificate: SeenCertificate | undefined;
  /** Its clock, milliseconds since 1970; undefined when it does not tell. */
  readonly clockMs: number | undefined;
  /** Ours at the same moment. */
  readonly ownClockMs: number;
}

export interface SeenCertificate {
  /** Milliseconds since 1970. */
  readonly validUntilMs: number;
  readonly issuer: string;
  readonly selfSigned: boolean;
  /** Why it would not be trusted with the authorities of the settings; undefined when it would. */
  readonly distrust: string | undefined;
}

/** One gateway of the settings. */
export interface GatewayUnderTest {
  readonly endpoint: string;
  /** Connects without logging in and without trusting. Rejects with the reason. */
  see(signal: AbortSignal): Promise<SeenGateway>;
  /** Logs in and says whose gateway it is. Rejects as StorageArray.identity. */
  identity(
    signal: AbortSignal,
  ): Promise<{ readonly systemId: string; readonly name: string | null; readonly version: string }>;
  /** Of the user who logged in; undefined where the array does not tell. */
  role(signal: AbortSignal): Promise<string | undefined>;
}

export interface GatewayCheckOptions {
  /** SCALEIO_INSECURE: any certificate is taken. */
  readonly insecure: boolean;
  readonly hasCaFile: boolean;
}

const DAY_MS = 24 * 3600 * 1000;
const WARN_DAYS = 30;
const WARN_CLOCK_MS = 60_000;
/** Roles that may not create and map volumes ([siort] SIOuser.psm1 lists all). */
const READ_ONLY_ROLES = ['Monitor', 'Security'];

/** Reachability, certificate, clock, log-in and role, of one gateway. */
export function gatewayCheck(gateway: GatewayUnderTest, options: GatewayCheckOptions): Check {
  const name = `gateway ${gateway.endpoint}`;
  return {
    name,
    run: async (signal) => {
      const [seen, login] = await Promise.all([
        seenBy(gateway, options, signal),
        loginTo(gateway, name, signal),
      ]);
      // Who is not reached or not trusted cannot be logged in to; who refuses all the same is the cause himself.
      const isExplained = seen.some(({ causes }) => causes === 'gateway');
      return [...login.map((one) => (isExplained ? one : asCause(one))), ...seen];
    },
  };
}

function asCause({ follows, ...finding }: Finding): Finding {
  return follows === 'gateway' ? causing('gateway', finding) : finding;
}

async function seenBy(
  gateway: GatewayUnderTest,
  options: GatewayCheckOptions,
  signal: AbortSignal,
): Promise<Finding[]> {
  let seen: SeenGateway;
  try {
    seen = await gateway.see(signal);
  } catch (error) {
    const says = `cannot be reached: ${error instanceof Error ? error.message : String(error)}`;
    const fix = 'check SCALEIO_ENDPOINT, the network and the gateway';
    return [causing('gateway', problem(`network to ${gateway.endpoint}`, says, fix))];
  }
  const certificate = judgeCertificate(gateway.endpoint, seen, options);
  return [
    certificate.severity === 'problem' ? causing('gateway', certificate) : certificate,
    judgeClock(gateway.endpoint, seen),
  ];
}

/** The certificate, by what would happen to a connection with the settings as they are. */
export function judgeCertificate(endpoint: string, seen: SeenGateway, options: GatewayCheckOptions): Finding {
  const check = `certificate of ${endpoint}`;
  const { certificate, ownClockMs } = seen;
  if (certificate === undefined) {
    return warning(check, 'none: the password can be read on the way', 'use https:// in SCALEIO_ENDPOINT');
  }
  const days = Math.floor((certificate.validUntilMs - ownClockMs) / DAY_MS);
  const until = `valid until ${new Date(certificate.validUntilMs).toISOString().slice(0, 10)}`;
  if (days < 0) return problem(check, `expired ${-days} days ago`, 'renew it at the gateway');
  if (options.insecure) {
    return warning(
      check,
      `not verified (SCALEIO_INSECURE=true), ${until}`,
      'give its authority in SCALEIO_CA_FILE instead',
    );
  }
  if (certificate.distrust !== undefined) return distrusted(check, certificate, options);
  if (days < WARN_DAYS) return warning(check, `expires in ${days} days`, 'renew it at the gateway');
  return ok(check, `trusted, ${until}`);
}

function distrusted(
  check: string,
  { distrust, selfSigned, issuer }: SeenCertificate,
  options: GatewayCheckOptions,
): Finding {
  const whose = selfSigned ? 'is self-signed' : `is signed by "${issuer}"`;
  const trusted = options.hasCaFile
    ? 'which is not an authority of SCALEIO_CA_FILE'
    : 'which this program does not know';
  return problem(
    check,
    `${whose}, ${trusted} (${distrust ?? ''})`,
    selfSigned
      ? 'save that certificate as a file and name it in SCALEIO_CA_FILE'
      : 'name its authority in SCALEIO_CA_FILE',
  );
}

/** Both clocks: sessions and certificates fail when they are far apart. */
export function judgeClock(endpoint: string, { clockMs, ownClockMs }: SeenGateway): Finding {
  const check = `clock of ${endpoint}`;
  if (clockMs === undefined) return ok(check, 'the gateway does not tell the time');
  const apartMs = Math.abs(clockMs - ownClockMs);
  const apart = `${Math.round(apartMs / 1000)} s apart from ours`;
  return apartMs > WARN_CLOCK_MS
    ? warning(check, apart, 'synchronize both (chrony, ntpd)')
    : ok(check, apart);
}

async function loginTo(gateway: GatewayUnderTest, check: string, signal: AbortSignal): Promise<Finding[]> {
  try {
    const { systemId, name, version } = await gateway.identity(signal);
    const array = name === null ? systemId : `"${name}" (${systemId})`;
    const role = await gateway.role(signal).catch(() => undefined);
    return [ok(check, `logged in, array ${array}, API ${version}`), judgeRole(check, role)].flatMap(
      (one) => one ?? [],
    );
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return [failed(check, error)];
  }
}

function judgeRole(endpoint: string, role: string | undefined): Finding | undefined {
  if (role === undefined) return undefined;
  const check = `role at ${endpoint}`;
  if (!READ_ONLY_ROLES.includes(role)) return ok(check, role);
  return problem(
    check,
    `"${role}" may not create and map volumes`,
    'give the user the role FrontendConfig or higher',
  );
}
