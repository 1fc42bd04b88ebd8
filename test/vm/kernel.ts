import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { Duplex } from 'node:stream';
import type { Image } from './image.ts';

/** Its journal goes to the console, which keeps it whatever becomes of the machine. Docker needs no AppArmor here. */
const bootOptions: readonly string[] = [
  // Memory lies in a file in /dev/shm. Programs run by way of seccomp, which is faster than ptrace, where this kernel lets it.
  ...['mem=1536M', 'seccomp=auto', 'uml_dir=/dev/shm/', 'root=/dev/ubda', 'rw'],
  // A ring's pages corrupt this kernel's page tables.
  'sysctl.kernel.io_uring_disabled=2',
  ...['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl0=fd:3'],
  ...['quiet', 'loglevel=4', 'apparmor=0', 'selinux=0', 'systemd.show_status=0', 'systemd.log_level=notice'],
  ...['systemd.journald.forward_to_console=1', 'systemd.journald.max_level_console=info'],
];

/**
 * Its libraries are those that it was made with, so it sees the files of its package, this machine's devices, and what is passed on: the
 * image's directory and the machine's. What it mounts, and every process of it, goes with it.
 */
const inItsOwnPlace = `
root=$1 image=$2 machine=$3
shift 3
mount --bind "$image" "$root/image"
mount --bind "$machine" "$root/machine"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=1777 memory "$root/dev/shm"
mount -t proc proc "$root/proc"
chroot "$root" /usr/bin/linux.uml "$@"`;

/** A Linux that runs as a process of this machine. */
export class Kernel {
  readonly #process: ChildProcess;
  /** The other end of the machine's first serial line. */
  readonly line: Duplex;

  private constructor(process: ChildProcess, line: Duplex) {
    this.#process = process;
    this.line = line;
  }

  /**
   * Starts one on what is in a machine's directory, where its root disk's writes, its console and its payload are. It ends with the
   * process that starts it, also when that is killed. `disks`: names of files NAME.img there.
   */
  static async start(image: Image, directory: string, disks: readonly string[]): Promise<Kernel> {
    await mkdir(path.join(directory, 'payload'), { recursive: true });
    const console = await open(path.join(directory, 'console.log'), 'a');
    try {
      const drives = ['ubd0=/machine/root.cow,/image/root.img'];
      for (const [index, name] of disks.entries()) drives.push(`ubd${index + 1}=/machine/${name}.img`);
      const apart = [
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        'sh',
        '-euc',
        inItsOwnPlace,
        'sh',
      ];
      const places = [image.kernel, path.dirname(image.root), directory];
      const child = spawn(
        'setpriv',
        ['--pdeathsig', 'KILL', ...apart, ...places, ...drives, ...bootOptions],
        {
          stdio: ['ignore', console.fd, console.fd, 'pipe'],
          env: { PATH: process.env['PATH'] },
        },
      );
      const line = child.stdio[3];
      if (!(line instanceof Duplex)) throw new Error('the machine got no serial line');
      return new Kernel(child, line);
    } finally {
      await console.close();
    }
  }

  /** Rejects when it ends by itself. */
  async failed(): Promise<never> {
    const [code, signal] = (await once(this.#process, 'exit')) as [number | null, string | null];
    throw new Error(`the machine's kernel ended with ${code ?? signal}`);
  }

  /** Ends it at once, as a power cut does: what it has not handed to a disk is gone. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    // The line closes when the last of its processes is gone, and only then another kernel may have the disks.
    const closed = this.line.closed ? undefined : once(this.line, 'close');
    this.#process.kill('SIGKILL');
    await Promise.all([ended, closed]);
  }
}
