import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { until } from '../../lab/hosts/until.ts';
import { keepLogs } from '../../lab/secrets/kept-logs.ts';
import { Channel } from './channel.ts';
import type { GuestAnswer } from './guest-protocol.ts';
import { machineImage, type Image } from './image.ts';
import { Kernel } from './kernel.ts';
import { makePayload } from './payload.ts';

/** For a machine that has much else to do; nothing is measured by them. */
const BOOT_MS = 400_000;
const ANSWER_MS = 400_000;

export interface MachineOptions {
  /** Empty disks besides the root, by names for Machine.disk(), with their sizes. */
  readonly disks?: Readonly<Record<string, string>>;
}

/**
 * A Debian with a kernel, a process 1 and devices of its own, in processes of this machine. All that it writes is gone when it is closed.
 * Made by startMachine.
 */
export class Machine {
  readonly directory: string;
  readonly #image: Image;
  readonly #disks: readonly string[];
  readonly #channel = new Channel();
  #kernel: Kernel | undefined;

  constructor(image: Image, directory: string, disks: readonly string[]) {
    this.#image = image;
    this.directory = directory;
    this.#disks = disks;
  }

  /** Boots it. Rejects when that takes too long, or the kernel ends. */
  async start(): Promise<void> {
    await this.#downAndUp(() => this.#powerOn());
  }

  async #powerOn(): Promise<void> {
    const kernel = await Kernel.start(this.#image, this.directory, this.#disks);
    this.#kernel = kernel;
    this.#channel.attach(kernel.line);
  }

  /** As the kernel of the boot that it lives in has it. */
  get bootId(): string {
    return this.#channel.boots.at(-1) ?? '';
  }

  /** Runs a program as root; whatever its exit status is. */
  async run(argv: readonly string[], input = ''): Promise<GuestAnswer> {
    return this.#withConsole(this.#channel.ask({ argv, input }, ANSWER_MS));
  }

  /** Runs a program as root and returns what it printed, trimmed. Rejects when it fails, with what it complained of. */
  async exec(argv: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, input);
    if (code !== 0)
      throw new Error(`"${argv.join(' ')}" ended with ${code} in the machine: ${stderr}\n${stdout}`);
    return stdout.trim();
  }

  /** Makes a file that only root may read. */
  async write(file: string, content: string): Promise<void> {
    await this.exec(['sh', '-c', `umask 077; cat >${file}`], content);
  }

  /** Runs commands of a shell, which stops at the first that fails. */
  async shell(commands: string): Promise<string> {
    return this.exec(['bash', '--norc', '-euo', 'pipefail', '-c', commands]);
  }

  /** Sends a request to a socket of the machine, a path or HOST:PORT; `code` of the answer is the HTTP status. */
  async request(
    at: string,
    method: string,
    url: string,
    { body, headers = {} }: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<GuestAnswer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.#withConsole(
      this.#channel.ask({ at, method, url, headers: { ...json, ...headers }, ...text }, ANSWER_MS),
    );
  }

  /** As until(), with the patience that a busy machine takes. */
  async until<T>(
    what: string,
    ask: () => T | undefined | Promise<T | undefined>,
  ): Promise<Exclude<T, false | undefined>> {
    return this.#withConsole(until(what, ask, { timeoutMs: ANSWER_MS, everyMs: 200 }));
  }

  /** Loses power and boots: what the kernel has not handed to a disk is gone. */
  async powerCut(): Promise<void> {
    await this.#downAndUp(async () => {
      await this.#kernel?.end();
      await this.#powerOn();
    });
  }

  /** As the administrator has it boot. */
  async reboot(): Promise<void> {
    await this.#downAndUp(() => this.#askWithoutAnswer(['systemctl', '--no-block', 'reboot']));
  }

  /** Presses a key of the kernel's: "b" boots at once, "c" crashes, and then it boots. */
  async sysrq(key: 'b' | 'c'): Promise<void> {
    const press = `echo 1 >/proc/sys/kernel/sysrq; echo ${key} >/proc/sysrq-trigger`;
    await this.#downAndUp(() => this.#askWithoutAnswer(['sh', '-c', press]));
  }

  /** It seldom answers: whoever would tell goes down, too. */
  #askWithoutAnswer(argv: readonly string[]): Promise<void> {
    this.#channel.ask({ argv }, BOOT_MS).catch(() => undefined);
    return Promise.resolve();
  }

  async #downAndUp(goDown: () => Promise<void>): Promise<void> {
    const before = this.#channel.boots.length;
    await goDown();
    const failed = this.#kernel?.failed() ?? Promise.reject(new Error('the machine is off'));
    await this.#withConsole(Promise.race([this.#channel.booted(before, BOOT_MS), failed]));
  }

  /** Where a disk besides the root is in the machine. */
  disk(name: string): string {
    return `/dev/ubd${'bcdefgh'.charAt(this.#disks.indexOf(name))}`;
  }

  /** All that kernel, process 1 and the journal have said, of all boots. */
  async console(): Promise<string> {
    return readFile(path.join(this.directory, 'console.log'), 'utf8');
  }

  async #withConsole<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      const said = (await this.console()).split('\n').slice(-40).join('\n');
      throw new Error(`${String(cause)}; the end of the machine's console:\n${said}`, { cause });
    }
  }

  async close(): Promise<void> {
    await this.#kernel?.end();
    this.#channel.close();
    await keepLogs(this.directory);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the machine has booted and does what it is told. Nothing stays when this rejects. */
export async function startMachine({ disks = {} }: MachineOptions = {}): Promise<Machine> {
  const image = await machineImage();
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-vm-'));
  const machine = new Machine(image, directory, Object.keys(disks));
  try {
    await makePayload(path.join(directory, 'payload'));
    for (const [name, size] of Object.entries(disks))
      await execa('truncate', [`--size=${size}`, path.join(directory, `${name}.img`)]);
    await machine.start();
    return machine;
  } catch (error) {
    await machine.close();
    throw error;
  }
}
