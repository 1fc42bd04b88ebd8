import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { deviceNumber } from '../../../src/host/device-number.ts';
import type { Device } from '../../../src/attach/attacher.ts';

const execute = promisify(execFile);

/** Runs a program of the test itself, to its end; rejects unless it ends with 0. */
export async function sh(program: string, ...args: string[]): Promise<string> {
  return (await execute(program, args)).stdout;
}

/** Whether this process has a capability, by its number [Linux include/uapi/linux/capability.h]. */
export async function hasCapability(number: number): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BigInt(number)) & 1n) === 1n;
}

export const MIB = 1024 * 1024;

/** A loop device over a sparse file of its own. */
export class LoopDevice {
  readonly file: string;
  readonly node: string;
  readonly number: string;

  private constructor(file: string, node: string, number: string) {
    this.file = file;
    this.node = node;
    this.number = number;
  }

  static async create(sizeBytes: number): Promise<LoopDevice> {
    const directory = await mkdtemp(path.join(tmpdir(), 'loop-'));
    const file = path.join(directory, 'volume.img');
    await writeFile(file, '');
    await truncate(file, sizeBytes);
    return LoopDevice.over(file);
  }

  static async over(file: string): Promise<LoopDevice> {
    const node = (await sh('losetup', '--find', '--show', file)).trim();
    const { rdev } = await stat(node, { bigint: true });
    return new LoopDevice(file, node, deviceNumber(rdev));
  }

  async device(): Promise<Device> {
    const sizeBytes = Number(await sh('blockdev', '--getsize64', this.node));
    return { path: this.node, node: this.node, number: this.number, sizeBytes };
  }

  /** Another one with what the file of this one holds now. */
  async copy(): Promise<LoopDevice> {
    const directory = await mkdtemp(path.join(tmpdir(), 'loop-'));
    const file = path.join(directory, 'volume.img');
    await sh('cp', '--sparse=always', this.file, file);
    return LoopDevice.over(file);
  }

  async resize(sizeBytes: number): Promise<void> {
    await truncate(this.file, sizeBytes);
    await sh('losetup', '--set-capacity', this.node);
  }

  async detach(): Promise<void> {
    // It outlasts the loop device and would meet the next user of the node.
    await sh('blockdev', '--setrw', this.node);
    await sh('losetup', '--detach', this.node);
    await rm(path.dirname(this.file), { recursive: true, force: true });
  }
}
