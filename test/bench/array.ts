import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../hosts/until.ts';
import { control } from './control.ts';
import { Program } from './programs.ts';

export const USER = 'admin';
export const PASSWORD = 'Scaleio123';
export const SDC_GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
/** What the plugin under test puts before its volumes' names. */
export const PREFIX = 'docker-';

interface GatewayCall {
  readonly method: string;
  readonly path: string;
}

interface State {
  readonly systemId: string;
  readonly sdcs: readonly { readonly id: string; readonly connected: boolean }[];
}

/** The simulated ScaleIO of the benchmark: a gateway, and an SDC whose devices come at once. */
export class BenchArray {
  /** Its URL without /api. */
  readonly gateway: string;
  readonly byIdDir: string;
  readonly systemId: string;
  readonly sdcId: string;
  readonly #seeded: string[] = [];

  private constructor(at: { gateway: string; byIdDir: string; systemId: string; sdcId: string }) {
    this.gateway = at.gateway;
    this.byIdDir = at.byIdDir;
    this.systemId = at.systemId;
    this.sdcId = at.sdcId;
  }

  static async start(dir: string): Promise<BenchArray> {
    const simulator = new Program(['simulate', '--dir', path.join(dir, 'array'), '--faults'], {
      logFile: path.join(dir, 'simulator.log'),
    });
    const said = await simulator.until(async () => {
      const text = await simulator.output();
      return text.includes('Ready.') ? text : undefined;
    });
    const gateway = /gateway +(\S+)\/api/.exec(said)?.[1] ?? '';
    const mdm = /MDM port +(\S+)/.exec(said)?.[1] ?? '';
    const byIdDir = path.join(dir, 'dev/disk/by-id');
    return new BenchArray({ gateway, byIdDir, ...(await startSdc(dir, { gateway, mdm })) });
  }

  /** Fills up to so many volumes without data, all of them the plugin's by their names. */
  async seedTo(count: number): Promise<void> {
    const first = this.#seeded.length;
    if (count <= first) return;
    const names = Array.from({ length: count - first }, (_, number) => `from-${first}-${number + 1}`);
    const prefix = `${PREFIX}from-${first}-`;
    await control(this.gateway, 'POST', 'seed', { count: count - first, prefix });
    this.#seeded.push(...names);
  }

  /** Docker's names of seeded volumes, from the first on. */
  seeded(from: number, count: number): readonly string[] {
    return this.#seeded.slice(from, from + count);
  }

  /** Waits until no device of an unmapped volume is left, which an unmapping does not wait for. */
  async untilDevicesGone(): Promise<void> {
    await until('the devices to go', async () =>
      (await readdir(this.byIdDir)).every((name) => !name.startsWith('emc-vol-')),
    );
  }

  /** Added by the gateway to every request from now on, ms. */
  async delay(fixedMs: number): Promise<void> {
    await control(this.gateway, 'POST', 'latency', { fixedMs });
  }

  /** How often the gateway was asked while `work` ran, the reconciler's rounds aside. */
  async callsDuring(work: () => Promise<unknown>): Promise<number> {
    await control(this.gateway, 'DELETE', 'requests');
    await work();
    const calls = (await control(this.gateway, 'GET', 'requests')) as GatewayCall[];
    return calls.filter(({ path: asked }) => !isOfReconciler(asked)).length;
  }
}

function isOfReconciler(asked: string): boolean {
  return /^\/api\/instances\/Sdc::[^/]+\/relationships\/Volume$/.test(asked);
}

async function startSdc(
  dir: string,
  array: { gateway: string; mdm: string },
): Promise<{ systemId: string; sdcId: string }> {
  await mkdir(path.join(dir, 'dev'), { recursive: true });
  const sdc = new Program(
    [
      ...['simulate-sdc', '--guid', SDC_GUID, '--ip', '127.0.0.1', '--mdm', array.mdm],
      ...['--fence-dir', path.join(dir, 'array/fence'), '--dev-dir', path.join(dir, 'dev')],
      ...['--state-dir', path.join(dir, 'sdc'), '--appear-delay-ms', '0'],
    ],
    { logFile: path.join(dir, 'sdc.log') },
  );
  return sdc.until(async () => {
    const { systemId, sdcs } = (await control(array.gateway, 'GET', 'state')) as State;
    const connected = sdcs.find((one) => one.connected);
    return connected === undefined ? undefined : { systemId, sdcId: connected.id };
  });
}
