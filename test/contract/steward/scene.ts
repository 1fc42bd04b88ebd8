import { setImmediate } from 'node:timers/promises';
import { Alerts, type Alert } from '../../../src/steward/capacity/alerts.ts';
import { AuditTrail } from '../../../src/steward/audit.ts';
import { Grower } from '../../../src/steward/capacity/grower.ts';
import { parsePolicy } from '../../../src/steward/policy-file.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Webhooks } from '../../../src/steward/ports.ts';
import { DiskProvider } from '../../../src/steward/capacity/provider.ts';
import { Steward } from '../../../src/steward/steward.ts';
import { Cleaner } from '../../../src/steward/cleanup/cleaner.ts';
import { fillPool } from 'scaleio-simulator/operations';
import type { SimulatorOptions } from 'scaleio-simulator';
import { simulated, soon, GIB } from '../gateway/simulated.ts';

export const MINUTE = 60_000;
const ARRAY_EPOCH = Date.parse('2026-01-01T00:00:00Z');
export const TIB = 1024 * GIB;
export const spare = (number: number): string => `/dev/disk/by-id/spare-${number}`;

/** Time that only tests move; whoever sleeps moves it, too. */
export class TestClock implements Clock {
  #elapsed = 0;
  /** Wall clock minus elapsed; a jump changes it. */
  #wall = Date.parse('2026-01-01T00:00:00Z');
  #random = 0;
  /** Happens the next time that somebody sleeps. */
  duringSleep: (() => Promise<unknown>) | undefined;

  now(): number {
    return this.#wall + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#elapsed += ms;
    const happening = this.duringSleep;
    this.duringSleep = undefined;
    await happening?.();
    await setImmediate();
  }

  randomHex(digits: number): string {
    this.#random = (this.#random * 31 + 7) % 16;
    return this.#random.toString(16).repeat(digits);
  }

  advance(ms: number): void {
    this.#elapsed += ms;
  }

  /** The wall clock is set, as NTP or an operator does. */
  jump(ms: number): void {
    this.#wall += ms;
  }
}

export interface Grow {
  readonly above?: number;
  readonly maxDevices?: number;
  readonly maxCapacity?: string;
  readonly cooldown?: string;
  readonly confirm?: number;
  readonly devices?: readonly { sds: string; path: string }[];
  readonly provider?: object;
}

/** Two spare disks of each of the three SDSs, in turn. */
const SPARES = [1, 2, 3, 4, 5, 6].map((number) => ({
  sds: `pd1-sds${((number - 1) % 3) + 1}`,
  path: spare(number),
}));

export interface StewardOptions {
  readonly act?: boolean;
  readonly grow?: Grow;
  readonly policy?: object;
  readonly cleanup?: object;
  readonly webhooks?: Webhooks;
}

/** A simulated array on test time, and stewards in front of it. */
export async function stewarded(options: SimulatorOptions = {}) {
  const clock = new TestClock();
  const { simulator, gateway } = await simulated(
    {
      // The array's own clock, which does not jump with ours.
      now: () => ARRAY_EPOCH + clock.elapsed(),
      tokenLifeSeconds: 1e12,
      tokenIdleSeconds: 1e12,
      movementKiBPerSecond: TIB / 60,
      ...options,
    },
    { retry: { whenUnreachable: 0, whenBusy: 0 }, clock: { elapsed: () => clock.elapsed() } },
  );
  const { pools } = simulator.array.cluster.state;
  const poolId = [...pools.values()][0]?.id ?? '';
  const steward = (given: StewardOptions = {}) => {
    const { act = true, grow = {}, policy = {}, cleanup, webhooks = new Recorded() } = given;
    const said = parsePolicy(
      JSON.stringify({
        version: 1,
        act,
        webhooks: [{ url: 'http://alerts.example.com/x', secretFile: '/run/secrets/x' }],
        pools: [
          {
            pool: 'sp1',
            grow: { above: 85, maxDevices: 9, cooldown: '5m', devices: SPARES, ...grow },
            ...policy,
          },
        ],
        cleanup,
      }),
      'test.yml',
    );
    const lines: string[] = [];
    const note = (_: object, message: string): void => void lines.push(message);
    const log = { debug: () => undefined, info: note, warn: note, error: note };
    const audit = new AuditTrail({ clock, log });
    const alerts = new Alerts({ webhooks, clock, log, audit }, said.webhooks);
    const array = gateway.capacity;
    const provider = new DiskProvider(webhooks);
    const grower = new Grower(
      { array, provider, clock, audit },
      { act: said.act, intervalMs: said.interval },
    );
    const { inventory } = gateway;
    const cleaner =
      said.cleanup === undefined
        ? undefined
        : new Cleaner(
            { inventory, array: gateway, clock, audit, log },
            { ...said.cleanup, act, prefix: 'docker-' },
          );
    const made = new Steward({ array, clock, log, alerts, audit, grower, cleaner }, said);
    return { steward: made, alerts, audit, lines, webhooks };
  };
  return {
    clock,
    simulator,
    gateway,
    poolId,
    steward,
    fill: (percent: number) => fillPool(simulator.array, poolId, percent),
    devices: () => [...simulator.array.cluster.state.devices.values()],
    added: () =>
      [...simulator.array.cluster.state.devices.values()]
        .filter(({ path }) => path.includes('spare'))
        .map(({ path }) => path),
  };
}

/** Rounds a minute apart. */
export async function rounds(
  clock: TestClock,
  count: number,
  ...stewards: readonly Steward[]
): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    await Promise.all(stewards.map((steward) => steward.round(soon())));
    clock.advance(MINUTE);
  }
}

/** Webhooks that take everything. */
export class Recorded implements Webhooks {
  readonly alerts: Alert[] = [];

  post(_: object, payload: object): Promise<string> {
    this.alerts.push(payload as Alert);
    return Promise.resolve('');
  }
}
