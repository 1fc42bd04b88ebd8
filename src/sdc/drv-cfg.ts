import { AttachError } from '../errors.ts';
import { type Runner, type RunResult, CommandError, exitError, MissingProgramError } from '../host/run.ts';
import { isModuleLoaded, type ModuleEvidence } from './kernel-module.ts';

/** A cluster of MDMs that this SDC is configured for. */
export interface KnownMdm {
  /** The system id; null while the SDC is not connected to it. */
  readonly systemId: string | null;
  /** This SDC's id there; null while the SDC is not connected. */
  readonly sdcId: string | null;
  readonly addresses: readonly string[];
}

export interface DrvCfgOptions {
  /** Absolute path of the SDC's own program. */
  readonly path: string;
  readonly runner: Runner;
  /** Where to see whether the kernel module is loaded; asked only to explain a failure. */
  readonly module: ModuleEvidence;
}

const GUID = /\b[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\b/i;
const MDM = /^MDM-ID ([0-9a-f]{16}) SDC ID ([0-9a-f]{16})(.*)$/gim;
const VOLUME = /^VOL-ID ([0-9a-f]{16}) MDM-ID ([0-9a-f]{16})\s*$/gim;
const NO_ID = '0000000000000000';
const TIMEOUT_MS = 15_000;

/**
 * The SDC's own command on this host [PowerFlex drv_cfg; goscaleio drv_cfg.go, CloudStack ScaleIOUtil]. Every method
 * rejects with AttachError 'not-installed', 'not-loaded' or 'command-failed', or with CancelledError.
 */
export class DrvCfg {
  readonly #options: DrvCfgOptions;

  constructor(options: DrvCfgOptions) {
    this.#options = options;
  }

  /** The GUID under which the MDM knows this SDC, upper-case. */
  async queryGuid(signal: AbortSignal): Promise<string> {
    const { stdout } = await this.#run('--query_guid', signal);
    const guid = GUID.exec(stdout)?.[0];
    if (guid === undefined) throw await this.#unusable('--query_guid', 'printed no GUID');
    return guid.toUpperCase();
  }

  /** The clusters that this SDC is configured for; an unreachable one has no ids. */
  async queryMdms(signal: AbortSignal): Promise<KnownMdm[]> {
    const { stdout } = await this.#run('--query_mdms', signal);
    return parseMdms(stdout);
  }

  /** The volumes that the SDC says are mapped to it, of every system. */
  async queryVolumes(signal: AbortSignal): Promise<{ volumeId: string; systemId: string }[]> {
    const { stdout } = await this.#run('--query_vols', signal);
    return parseVolumes(stdout);
  }

  /** Makes the SDC read its list of volumes, and their sizes, again. */
  async rescan(signal: AbortSignal): Promise<void> {
    await this.#run('--rescan', signal);
  }

  /** Adds a cluster of MDMs, in the running driver and in the file where one is given. */
  async addMdm(addresses: readonly string[], signal: AbortSignal, file?: string): Promise<void> {
    await this.#run('--add_mdm', signal, ['--ip', addresses.join(','), ...fileFlag(file)]);
  }

  /** Gives the cluster that has the address `known` these addresses instead of those it had. */
  async modifyMdm(
    known: string,
    addresses: readonly string[],
    signal: AbortSignal,
    file?: string,
  ): Promise<void> {
    const change = ['--ip', known, '--new_mdm_ip', addresses.join(',')];
    await this.#run('--mod_mdm_ip', signal, [...change, ...fileFlag(file)]);
  }

  async #run(flag: string, signal: AbortSignal, more: readonly string[] = []): Promise<RunResult> {
    const { path, runner } = this.#options;
    const args = [flag, ...more];
    let result: RunResult;
    try {
      result = await runner.run(path, args, { signal, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (error instanceof MissingProgramError) throw this.#notInstalled(error);
      if (error instanceof CommandError) throw await this.#unusable(flag, 'failed', error);
      throw error;
    }
    if (result.exitCode === 0) return result;
    const cause = exitError(path, args, result);
    throw await this.#unusable(flag, `failed (${cause.stderrTail || `exit code ${result.exitCode}`})`, cause);
  }

  #notInstalled(cause: Error): AttachError {
    return new AttachError(`no SDC on this host: "${this.#options.path}" is missing`, {
      remedy: 'install the SDC, set the path of drv_cfg, or set SCALEIO_GUID',
      problem: 'not-installed',
      cause,
    });
  }

  async #unusable(flag: string, what: string, cause?: Error): Promise<AttachError> {
    if (!(await isModuleLoaded(this.#options.module))) {
      return new AttachError('the SDC of this host is not running: kernel module "scini" is not loaded', {
        remedy: 'start it with "systemctl start scini"',
        problem: 'not-loaded',
        cause,
      });
    }
    return new AttachError(`"drv_cfg ${flag}" ${what}`, {
      remedy: 'run it by hand on this host and see the kernel log',
      problem: 'command-failed',
      cause,
    });
  }
}

function fileFlag(file: string | undefined): string[] {
  return file === undefined ? [] : ['--file', file];
}

/** Reads the output of --query_mdms (and --query_mdm, the same). */
export function parseMdms(stdout: string): KnownMdm[] {
  return [...stdout.matchAll(MDM)].map(([, systemId = '', sdcId = '', rest = '']) => ({
    systemId: known(systemId),
    sdcId: known(sdcId),
    addresses: [...rest.matchAll(/\[\d+\]-(\S+)/g)].map(([, address = '']) => address),
  }));
}

/** Reads the output of --query_vols. */
export function parseVolumes(stdout: string): { volumeId: string; systemId: string }[] {
  return [...stdout.matchAll(VOLUME)].map(([, volumeId = '', systemId = '']) => ({
    volumeId: volumeId.toLowerCase(),
    systemId: systemId.toLowerCase(),
  }));
}

function known(id: string): string | null {
  return id === NO_ID ? null : id.toLowerCase();
}
