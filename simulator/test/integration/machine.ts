import { execa } from 'execa';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, vi } from 'vitest';
import type { SdcVolume } from '../../src/sdc-protocol.ts';
import { startAgent, type Agent, type AgentOptions } from '../../src/sdc/agent.ts';
import { buildDrvCfg, buildScini } from '../../src/sdc/programs.ts';
import { FakeMdm, SYSTEM_ID } from './fake-mdm.ts';

export const ONE = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
export const TWO = '7E012974-3651-4DCB-9954-25975A3C3CDF';
export const VOLUME = '6c33633100000009';
/** The least that xfs takes. */
const SIZE_KIB = 320 * 1024;

/** One machine with a fake MDM and the SDCs of hosts that a test starts; `end` checks that nothing is left. */
export class Machine {
  readonly dir: string;
  readonly mdm: FakeMdm;
  readonly mdmUrl: string;
  readonly scini: string;
  readonly drvCfg: string;
  readonly agents: Agent[] = [];
  /** Loop devices that were seen, and the number of their use. */
  readonly #loops = new Map<string, string>();

  private constructor(dir: string, mdm: FakeMdm, made: { url: string; scini: string; drvCfg: string }) {
    this.dir = dir;
    this.mdm = mdm;
    this.mdmUrl = made.url;
    this.scini = made.scini;
    this.drvCfg = made.drvCfg;
  }

  static async start(): Promise<Machine> {
    const dir = await mkdtemp(join(tmpdir(), 'sdc-'));
    const mdm = new FakeMdm(dir);
    return new Machine(dir, mdm, {
      url: await mdm.start(),
      scini: await buildScini(join(dir, 'scini')),
      drvCfg: await buildDrvCfg(join(dir, 'drv_cfg')),
    });
  }

  async end(): Promise<void> {
    for (const line of (await execa('findmnt', ['-rno', 'TARGET'])).stdout.split('\n').reverse()) {
      if (line.startsWith(this.dir)) await execa('umount', [line]);
    }
    await Promise.all(this.agents.map((agent) => agent.close().catch(() => undefined)));
    await this.mdm.stop();
    await vi.waitFor(() => {
      expect([...this.#loops].filter(([loop, use]) => isBound(loop) && useOf(loop) === use)).toEqual([]);
    }, 20_000);
    // The keeper of a data path that the MDM killed removes its file when it sees the end, and an agent does not wait for that.
    await vi.waitFor(async () => {
      expect((await readdir(this.mdm.fenceDir)).filter((name) => name.endsWith('.held'))).toEqual([]);
    }, 20_000);
    await rm(this.dir, { recursive: true });
  }

  options(guid: string, more: Partial<AgentOptions> = {}): AgentOptions {
    const { mdm, mdmUrl, scini, dir } = this;
    const host = join(dir, guid);
    const dirs = { devDir: join(host, 'dev'), stateDir: join(host, 'run'), fenceDir: mdm.fenceDir };
    return { guid, ip: '10.0.0.9', mdms: [mdmUrl], scini, appearDelayMs: 20, ...dirs, ...more };
  }

  async agent(guid: string, more: Partial<AgentOptions> = {}): Promise<Agent> {
    const agent = await startAgent(this.options(guid, more));
    this.agents.push(agent);
    await vi.waitFor(() => {
      expect(agent.connected && this.mdm.connected(guid)).toBe(true);
    }, 20_000);
    return agent;
  }

  volume(more: Partial<SdcVolume> = {}): SdcVolume {
    const file = join(this.dir, more.volumeId ?? VOLUME);
    writeFileSync(file, '');
    truncateSync(file, (more.sizeKiB ?? SIZE_KIB) * 1024);
    return {
      volumeId: VOLUME,
      sizeKiB: SIZE_KIB,
      file,
      readOnly: false,
      limitBandwidthKiBps: 0,
      limitIops: 0,
      ...more,
    };
  }

  link(guid: string, volumeId = VOLUME): string {
    return join(this.dir, guid, 'dev/disk/by-id', `emc-vol-${SYSTEM_ID}-${volumeId}`);
  }

  async links(guid: string): Promise<string[]> {
    return (await readdir(join(this.dir, guid, 'dev/disk/by-id'))).filter((name) => !name.startsWith('.'));
  }

  /** Waits until the volume's link is there and leads to a block device. */
  async appeared(guid: string, volumeId = VOLUME): Promise<string> {
    const link = this.link(guid, volumeId);
    await vi.waitFor(() => execa('test', ['-b', link]), 20_000);
    const loop = basename(await realpath(link));
    if (loop.startsWith('loop')) this.#loops.set(loop, useOf(loop));
    return link;
  }

  async vanished(guid: string, volumeId = VOLUME): Promise<void> {
    await vi.waitFor(async () => {
      expect(await this.links(guid)).not.toContain(basename(this.link(guid, volumeId)));
    }, 20_000);
  }
}

function isBound(loop: string): boolean {
  return existsSync(`/sys/block/${loop}/loop/backing_file`);
}

function useOf(loop: string): string {
  return readFileSync(`/sys/block/${loop}/diskseq`, 'utf8');
}
