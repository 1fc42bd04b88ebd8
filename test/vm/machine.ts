import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { until } from '../../lab/hosts/until.ts';
import { keepLogs } from '../../lab/secrets/kept-logs.ts';
import { Channel } from './channel.ts';
import type { GuestAnswer } from './guest-protocol.ts';
import { machineImage, qemu } from './image.ts';
import { tellQemu } from './monitor.ts';
import { makePayload } from './payload.ts';

/** All of them are for emulation on a machine that has much else to do; nothing is measured by them. */
const BOOT_MS = 400_000;
const ANSWER_MS = 400_000;

export interface MachineOptions {
  /** Empty disks besides the root, by what they are called in /dev/disk/by-id/virtio-NAME. */
  readonly disks?: Readonly<Record<string, string>>;
}

type Emulator = ReturnType<typeof startQemu>;

/**
 * A Debian with a kernel, a process 1 and devices of its own, in an emulator without KVM. All that it writes is gone when it is closed.
 * Made by startMachine.
 */
export class Machine {
  readonly directory: string;
  readonly #emulator: Emulator;
  readonly #channel: Channel;

  constructor(directory: string, emulator: Emulator, channel: Channel) {
    this.directory = directory;
    this.#emulator = emulator;
    this.#channel = channel;
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

  /** As until(), with the patience that emulation on a busy machine takes. */
  async until<T>(
    what: string,
    ask: () => T | undefined | Promise<T | undefined>,
  ): Promise<Exclude<T, false | undefined>> {
    return this.#withConsole(until(what, ask, { timeoutMs: ANSWER_MS, everyMs: 200 }));
  }

  /** Loses power and boots: what the kernel has not handed to a disk is gone. */
  async powerCut(): Promise<void> {
    await this.#downAndUp(() => tellQemu(this.#monitor, 'system_reset'));
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
    await this.#withConsole(this.#channel.booted(before, BOOT_MS));
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

  get #monitor(): string {
    return path.join(this.directory, 'monitor');
  }

  async close(): Promise<void> {
    this.#channel.close();
    await endEmulator(this.#emulator);
    await keepLogs(this.directory);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the machine has booted and does what it is told. Nothing stays when this rejects. */
export async function startMachine({ disks = {} }: MachineOptions = {}): Promise<Machine> {
  const image = await machineImage();
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-vm-'));
  await mkdir(path.join(directory, 'layers'));
  await makePayload(path.join(directory, 'payload'));
  for (const [name, size] of Object.entries(disks))
    await execa('truncate', [`--size=${size}`, path.join(directory, `${name}.img`)]);
  const emulator = startQemu(directory, [
    ...['-kernel', image.kernel, '-initrd', image.initramfs, '-append', kernelCommandLine],
    ...disk('root', image.root, 'snapshot=on,cache=unsafe'),
    ...disk('payload', path.join(directory, 'payload'), 'readonly=on'),
    ...Object.keys(disks).flatMap((name) =>
      disk(name, path.join(directory, `${name}.img`), 'cache=writeback'),
    ),
  ]);
  try {
    const opened = until('the emulator to listen', () => Channel.open(path.join(directory, 'agent')));
    const channel = await Promise.race([opened, failedEarly(emulator)]);
    const machine = new Machine(directory, emulator, channel);
    await channel.booted(0, BOOT_MS);
    return machine;
  } catch (cause) {
    const said = await readFile(path.join(directory, 'console.log'), 'utf8');
    await endEmulator(emulator);
    await keepLogs(directory);
    await rm(directory, { recursive: true, force: true });
    throw new Error(`${String(cause)}; the machine's console:\n${said.split('\n').slice(-40).join('\n')}`, {
      cause,
    });
  }
}

async function failedEarly(emulator: Emulator): Promise<never> {
  const { stderr } = await emulator;
  throw new Error(`the emulator ended: ${stderr}`);
}

/** Its journal goes to the console, which keeps it whatever becomes of the machine. Docker needs no AppArmor here. */
const kernelCommandLine = [
  ...['console=ttyS0', 'quiet', 'loglevel=4', 'mitigations=off', 'tsc=nowatchdog', 'random.trust_cpu=on'],
  ...['panic=-1', 'apparmor=0', 'selinux=0', 'systemd.show_status=0', 'systemd.log_level=notice'],
  ...['systemd.journald.forward_to_console=1', 'systemd.journald.max_level_console=info'],
].join(' ');

function disk(name: string, file: string, options: string): string[] {
  return [
    ...['-drive', `file=${file},format=raw,if=none,id=${name},${options}`],
    ...['-device', `virtio-blk-pci,drive=${name},serial=${name}`],
  ];
}

/** Ends with the process that starts it, also when that is killed. */
function startQemu(directory: string, more: readonly string[]) {
  const inside = (name: string): string => path.join(directory, name);
  return execa(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', qemu, '-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-smp', '2', '-m', '1536'],
      ...['-serial', `file:${inside('console.log')}`, '-qmp', `unix:${inside('monitor')},server=on,wait=off`],
      ...['-device', 'virtio-serial-pci', '-device', 'virtio-rng-pci'],
      ...['-chardev', `socket,id=agent,path=${inside('agent')},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=agent,name=agent'],
      ...more,
    ],
    { reject: false, stdin: 'ignore', env: { TMPDIR: inside('layers') } },
  );
}

async function endEmulator(emulator: Emulator): Promise<void> {
  emulator.kill('SIGKILL');
  await emulator;
}
