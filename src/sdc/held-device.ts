import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { AttachError } from '../errors.ts';
import { cancelled } from '../host/cancelled.ts';
import { deviceNumber } from '../host/device-number.ts';
import type { Device, HeldDevice } from '../attach/attacher.ts';

const BLOCK = 4096;
const [openFile, fstatFile, readFile, closeFile] = [
  promisify(open),
  promisify(fstat),
  promisify(read),
  promisify(close),
];

/** What looking at the device again takes. */
export interface Sight {
  /** The device as it is identified now; throws AttachError when it contradicts itself. */
  readonly look: () => Device | undefined;
  /** From 0 to below 1, another each time. */
  readonly anywhere: () => number;
}

/**
 * Holds the disk that was identified (rule 14), by an open descriptor. Rejects with AttachError 'device-mismatch' when it is another
 * by then, with CancelledError at the signal.
 */
export async function holdDevice(sight: Sight, device: Device, signal: AbortSignal): Promise<HeldDevice> {
  const held = new OpenDevice(sight, device, await openDisk(device));
  try {
    await held.assertSame(signal);
    return held;
  } catch (error) {
    await held.close();
    throw error;
  }
}

/*
 * The descriptor keeps a kernel that gives a number back only after the last close from giving it to another disk, but
 * alone it proves nothing: scini hands out numbers as it likes, and whoever opens /proc/PID/fd/N opens the number of that node
 * anew. That way in is safe only from a path that leads to another node by then, so all of it is looked at again, each time.
 */
class OpenDevice implements HeldDevice {
  readonly device: Device;
  readonly #sight: Sight;
  /** A plain number, because a FileHandle waits, when closed, for reads that a dead array keeps for ever. */
  #descriptor: number | undefined;

  constructor(sight: Sight, device: Device, descriptor: number) {
    this.#sight = sight;
    // Its own node, opened anew each time, but never another that has the path by then.
    this.device = { ...device, heldPath: `/proc/${process.pid}/fd/${descriptor}` };
    this.#descriptor = descriptor;
  }

  async assertSame(signal: AbortSignal): Promise<void> {
    this.#assertLooksSame();
    await this.#assertAnswers(signal);
    // The read may have taken long.
    this.#assertLooksSame();
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) await closeFile(descriptor);
  }

  #assertLooksSame(): void {
    const now = this.#sight.look();
    if (now === undefined) throw changed(this.device, 'is gone');
    const facts = ['path', 'node', 'number', 'sizeBytes', 'diskSequence'] as const;
    for (const fact of facts) {
      if (now[fact] === this.device[fact]) continue;
      throw changed(this.device, `has ${fact} ${String(now[fact])} instead of ${String(this.device[fact])}`);
    }
  }

  /** Read where nobody has, else the page cache would answer for a disk that is gone. */
  async #assertAnswers(signal: AbortSignal): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw changed(this.device, 'is not held any more');
    const blocks = Math.floor(this.device.sizeBytes / BLOCK);
    const position = Math.floor(this.#sight.anywhere() * blocks) * BLOCK;
    let bytesRead: number;
    try {
      ({ bytesRead } = await before(signal, readFile(descriptor, Buffer.alloc(BLOCK), 0, BLOCK, position)));
    } catch (error) {
      if (signal.aborted) throw cancelled(`reading "${this.device.path}"`, signal);
      throw changed(this.device, `does not answer (${wordsOf(error)})`);
    }
    if (bytesRead !== BLOCK) throw changed(this.device, `ends before byte ${position + BLOCK}`);
  }
}

async function openDisk(device: Device): Promise<number> {
  let descriptor: number;
  try {
    descriptor = await openFile(device.node, constants.O_RDONLY);
  } catch (error) {
    throw changed(device, `cannot be opened (${wordsOf(error)})`);
  }
  const { rdev } = await fstatFile(descriptor, { bigint: true });
  if (deviceNumber(rdev) === device.number) return descriptor;
  await closeFile(descriptor);
  throw changed(device, `has number ${deviceNumber(rdev)} instead of ${device.number}`);
}

/** A read cannot be called off; one that hangs is left behind. */
function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      reject(new Error('it was called off'));
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', end);
    });
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function changed(device: Device, what: string): AttachError {
  return new AttachError(
    `device "${device.path}" is not any more what it was when it was identified: it ${what}; nothing more is done with it`,
    {
      remedy: 'see the kernel log for who took the volume from this host or mapped another, and try again',
      problem: 'device-mismatch',
      context: { node: device.node, number: device.number },
    },
  );
}
