import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../hosts/until.ts';
import type { LoggedCall } from './call-ledger.ts';
import { control } from './control.ts';
import { Program } from './programs.ts';

export const USER = 'admin';
export const PASSWORD = 'Scaleio123';
const GUIDS = ['B0E3BFB8-C20B-43BF-93C8-13339E85AA50', 'B0E3BFB8-C20B-43BF-93C8-13339E85AA51'] as const;
/** What the plugin under test puts before its volumes' names. */
export const PREFIX = 'docker-';

interface State {
  readonly systemId: string;
  readonly sdcs: readonly { readonly id: string; readonly guid: string; readonly connected: boolean }[];
}

/** The SDC of one host. */
export interface BenchSdc {
  readonly guid: string;
  readonly id: string;
  readonly byIdDir: string;
}

/** The simulated ScaleIO of the benchmark: a gateway, and two SDCs whose devices come at once. */
export class BenchArray {
  /** Its URL without /api. */
  readonly gateway: string;
  readonly systemId: string;
  /** Nearly everything happens on the first. */
  readonly sdcs: readonly [BenchSdc, BenchSdc];
  readonly #seeded: string[] = [];

  private constructor(at: { gateway: string; systemId: string; sdcs: readonly [BenchSdc, BenchSdc] }) {
    this.gateway = at.gateway;
    this.systemId = at.systemId;
    this.sdcs = at.sdcs;
  }

  get sdc(): BenchSdc {
    return this.sdcs[0];
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
    const array = { gateway, mdm, fenceDir: path.join(dir, 'array/fence') };
    const first = await startSdc(path.join(dir, 'host1'), array, GUIDS[0]);
    const second = await startSdc(path.join(dir, 'host2'), array, GUIDS[1]);
    return new BenchArray({ gateway, systemId: first.systemId, sdcs: [first.sdc, second.sdc] });
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
  async untilDevicesGone({ byIdDir } = this.sdc): Promise<void> {
    await until('the devices to go', async () =>
      (await readdir(byIdDir)).every((name) => !name.startsWith('emc-vol-')),
    );
  }

  /** Added by the gateway to every request from now on, ms. */
  async delay(fixedMs: number): Promise<void> {
    await control(this.gateway, 'POST', 'latency', { fixedMs });
  }

  /** What the gateway was asked since this was last called. */
  async takeCalls(): Promise<readonly LoggedCall[]> {
    const calls = (await control(this.gateway, 'GET', 'requests')) as LoggedCall[];
    await control(this.gateway, 'DELETE', 'requests');
    return calls;
  }
}

async function startSdc(
  dir: string,
  array: { gateway: string; mdm: string; fenceDir: string },
  guid: string,
): Promise<{ systemId: string; sdc: BenchSdc }> {
  await mkdir(path.join(dir, 'dev'), { recursive: true });
  const sdc = new Program(
    [
      ...['simulate-sdc', '--guid', guid, '--ip', '127.0.0.1', '--mdm', array.mdm],
      ...['--fence-dir', array.fenceDir, '--dev-dir', path.join(dir, 'dev')],
      ...['--state-dir', path.join(dir, 'sdc'), '--appear-delay-ms', '0'],
    ],
    { logFile: path.join(dir, 'sdc.log') },
  );
  return sdc.until(async () => {
    const { systemId, sdcs } = (await control(array.gateway, 'GET', 'state')) as State;
    const found = sdcs.find((one) => one.guid === guid && one.connected);
    const byIdDir = path.join(dir, 'dev/disk/by-id');
    return found === undefined ? undefined : { systemId, sdc: { guid, id: found.id, byIdDir } };
  });
}
