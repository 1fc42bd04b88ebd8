import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { createGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from 'scaleio-simulator';
import type { ArrayName, HostId } from '../../../src/array/ids.ts';
import type { StoragePool } from '../../../src/array/pool.ts';
import type { NewVolume } from '../../../src/array/volume.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

export const GIB = 1024 * 1024;
/** Of "admin" on every simulated array here. */
export const PASSWORD = newSecret('password');

export interface Simulated {
  readonly simulator: Simulator;
  readonly gateway: Gateway;
  /** "METHOD path" of the requests since the last look, without log-in and identification. */
  readonly calls: () => string[];
}

const OPENING = /\/api\/(log|version|types\/System\/instances)/;

/** A simulated array, and the client under test in front of it. */
export async function simulated(
  options: SimulatorOptions = {},
  client: Partial<GatewayOptions> = {},
): Promise<Simulated> {
  const simulator = await startSimulator({ users: [{ name: 'admin', password: PASSWORD }], ...options });
  onTestFinished(() => simulator.close());
  return {
    simulator,
    gateway: clientOf(simulator, client),
    calls: () => {
      const all = simulator.requests.all().map(({ method, path }) => `${method} ${path}`);
      simulator.requests.clear();
      return all.filter((call) => !OPENING.test(call));
    },
  };
}

/** A client of its own in front of an array that runs. */
export function clientOf(simulator: Simulator, client: Partial<GatewayOptions> = {}): Gateway {
  const gateway = createGateway({
    endpoints: simulator.urls,
    username: 'admin',
    password: PASSWORD,
    ca: simulator.caFile === undefined ? undefined : readFileSync(simulator.caFile, 'utf8'),
    insecure: false,
    clock: { elapsed: () => performance.now() },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    ...client,
    retry: { minDelayMs: 5, maxDelayMs: 50, ...client.retry },
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

export async function somePool(gateway: Gateway): Promise<StoragePool> {
  return gateway.findPool({ pool: 'sp1', domain: undefined }, soon());
}

export async function newVolume(gateway: Gateway, name: string): Promise<NewVolume> {
  return { name: name as ArrayName, sizeKiB: 10 * GIB, pool: await somePool(gateway), provisioning: 'thin' };
}

/** Two SDCs that the array knows. */
export async function twoSdcs(simulator: Simulator): Promise<{ one: HostId; two: HostId }> {
  const one = await simulator.connectSdc({ guid: '11111111-1111-1111-1111-111111111111', ip: '10.0.0.1' });
  const two = await simulator.connectSdc({ guid: '22222222-2222-2222-2222-222222222222', ip: '10.0.0.2' });
  return { one: one.id as HostId, two: two.id as HostId };
}

export function soon(ms = 20_000): AbortSignal {
  return AbortSignal.timeout(ms);
}
