import { readFile } from 'node:fs/promises';

/** Bits of Linux's capabilities that something here asks for [Linux uapi capability.h]. */
export const CAP_SYS_RESOURCE = 24;

/** Whether this process has the capability now. False also where the kernel does not say. */
export async function hasCapability(bit: number): Promise<boolean> {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 1n;
}
