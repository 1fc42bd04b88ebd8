import { execa } from 'execa';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../simulator-error.ts';
import { SdcAgentError } from './sdc-agent-error.ts';

const DRV_CFG = 'drv_cfg.c';
const SCINI = 'scini.c';
/** What is compiled on a host: a program that is made of one file needs these beside it. */
export const C_SOURCES: readonly string[] = [DRV_CFG, SCINI].map((name) => join(import.meta.dirname, name));

async function compile(source: string, outFile: string): Promise<string> {
  await mkdir(dirname(outFile), { recursive: true });
  const draft = `${outFile}.${process.pid}.new`;
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];
  const compiled = await execa('gcc', [...flags, '-o', draft, source], { reject: false });
  if (compiled.failed) {
    throw new SdcAgentError(
      `Compiling "${source}" failed: ${compiled.shortMessage}; it needs the packages gcc and libc6-dev`,
      { cause: compiled },
    );
  }
  await rename(draft, outFile);
  return outFile;
}

/**
 * Compiles the program that clients run as /opt/emc/scaleio/sdc/bin/drv_cfg, dynamically linked against this
 * machine's C library. Resolves with `outFile`. Throws SdcAgentError when gcc is missing.
 */
export async function buildDrvCfg(outFile: string, sourceDir = import.meta.dirname): Promise<string> {
  return compile(join(sourceDir, DRV_CFG), outFile);
}

/**
 * Compiles the data path of a mapping. Resolves with `outFile`. Throws SdcAgentError when gcc is missing.
 */
export async function buildScini(outFile: string, sourceDir = import.meta.dirname): Promise<string> {
  return compile(join(sourceDir, SCINI), outFile);
}

/** In the simulated program and in no real one: where it asks. */
const MARK = '/dev/disk/by-id/.scini';

/**
 * Compiles drv_cfg to where hosts are to run it from. Throws SdcAgentError when another program is there, such as that of a real
 * SDC, and when gcc is missing.
 */
export async function installDrvCfg(outFile: string): Promise<void> {
  const present = await contentOf(outFile);
  if (present !== undefined && !present.includes(MARK)) {
    throw new SdcAgentError(
      `"${outFile}" is another program, perhaps that of a real SDC, and stays as it is: give --drv-cfg another path`,
    );
  }
  await buildDrvCfg(outFile);
}

/** Undefined when there is no such file. */
async function contentOf(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
