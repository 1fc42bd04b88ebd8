import { Command, InvalidArgumentError, Option } from 'commander';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { API_VERSIONS } from './mdm/cluster.ts';
import { SimulatorError, SimulatorUsageError, systemCode } from './simulator-error.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from './simulator.ts';
import { STANDARD_PASSWORD } from './gateway/standard-password.ts';
import { settingsSchema, type SettingsInput } from './settings.ts';

/** What the command needs of its process. */
export interface CommandIo {
  readonly print: (text: string) => void;
  /** Resolves when the process is asked to end (SIGTERM, SIGINT). */
  readonly untilStopped: Promise<unknown>;
}

/** What the program that offers the command calls it, and the one for a host's SDC; and what it has to add. */
export interface ArrayCommandNames {
  readonly array: string;
  readonly sdc: string;
  /** Further lines on a running array, such as settings for a client of it. */
  readonly more?: (array: RunningArray) => readonly string[];
}

export interface RunningArray {
  /** Of the gateways, without a path. */
  readonly urls: readonly string[];
  readonly user: string;
  /** Undefined for one of the user's own, which is printed nowhere. */
  readonly password: string | undefined;
  readonly caFile: string | undefined;
}

const OWN_NAMES: ArrayCommandNames = { array: 'scaleio-simulator', sdc: 'scaleio-simulator sdc' };

interface Flags {
  readonly dir?: string;
  readonly version?: string;
  readonly listen?: Address;
  readonly gateways?: number;
  readonly tls?: true;
  readonly mdmListen?: Address;
  readonly config?: string;
  readonly faults?: true;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function arrayCommand(io: CommandIo, names: ArrayCommandNames): Command {
  return new Command(names.array)
    .description(
      "Run a simulated ScaleIO: MDM and gateway, with the volumes' data in sparse files, until SIGTERM or SIGINT",
    )
    .option(
      '--dir <dir>',
      'keep the state here (default: a temporary folder, removed at the end, after a kill at the next start)',
    )
    .addOption(new Option('--version <version>', 'of the API (default: 3.6)').choices(API_VERSIONS))
    .option(
      '--listen <host:port>',
      'where the gateway listens (default: 127.0.0.1:0, any free port)',
      address,
    )
    .option('--gateways <number>', 'so many gateways, on consecutive ports', gatewayCount)
    .option('--tls', 'HTTPS, with a certificate of an own CA (ca.pem in --dir)')
    .option('--mdm-listen <host:port>', 'where SDC agents connect (default: 127.0.0.1:0)', address)
    .option('--config <file>', 'JSON with any setting of the simulator; the options here win')
    .option('--faults', 'serve the fault controls under /simulator')
    .configureOutput({
      writeOut: (text) => {
        io.print(text.trimEnd());
      },
      outputError: () => undefined,
    })
    .exitOverride()
    .action(async (flags: Flags) => {
      await run(flags, io, names);
    });
}

/**
 * Runs the simulator until the process is asked to end. Throws commander's CommanderError for wrong flags, and after help;
 * SimulatorUsageError for wrong settings, and SimulatorError when it cannot start; then nothing of it is left.
 */
export async function simulate(
  argv: readonly string[],
  io: CommandIo,
  names: ArrayCommandNames = OWN_NAMES,
): Promise<void> {
  await arrayCommand(io, names).parseAsync(argv, { from: 'user' });
}

async function run(flags: Flags, io: CommandIo, names: ArrayCommandNames): Promise<void> {
  const input = await settingsOf(flags);
  const simulator = await start(flags.dir === undefined ? input : { ...input, dir: flags.dir });
  io.print(announcement(simulator, names));
  await io.untilStopped;
  await simulator.close();
}

async function start(options: SimulatorOptions): Promise<Simulator> {
  try {
    return await startSimulator(options);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const where = options.dir === undefined ? 'a temporary folder' : `"${options.dir}"`;
    throw new SimulatorError(`The simulator cannot keep its state in ${where}: ${String(error)}`, {
      cause: error,
    });
  }
}

async function settingsOf(flags: Flags): Promise<SettingsInput> {
  const input: Record<string, unknown> = flags.config === undefined ? {} : await settingsIn(flags.config);
  if (flags.version !== undefined) input['version'] = flags.version;
  if (flags.faults) input['faults'] = true;
  if (flags.mdmListen !== undefined) input['mdm'] = flags.mdmListen;
  if (flags.listen !== undefined || flags.gateways !== undefined || flags.tls) {
    const { host, port } = flags.listen ?? { host: '127.0.0.1', port: 0 };
    const tls = flags.tls ?? false;
    input['gateways'] = Array.from({ length: flags.gateways ?? 1 }, (_, number) => ({
      host,
      port: port === 0 ? 0 : port + number,
      tls,
    }));
  }
  const parsed = settingsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new SimulatorUsageError(
    `Wrong settings of the simulator: ${inOneLine(z.prettifyError(parsed.error))}`,
  );
}

async function settingsIn(file: string): Promise<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? 'it holds no JSON object' : String(error);
    throw new SimulatorUsageError(`The settings of the simulator cannot be read from "${file}": ${why}`, {
      cause: error,
    });
  }
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function gatewayCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1 on.');
  return Number(text);
}

/** `host:port`, `[v6]:port`. */
function address(text: string): Address {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new InvalidArgumentError('Give HOST:PORT.');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function announcement(simulator: Simulator, names: ArrayCommandNames): string {
  const { urls, mdmUrl, caFile, settings, systemId, dir } = simulator;
  const [user] = settings.users;
  const name = user?.name ?? '';
  const password = user?.password === STANDARD_PASSWORD ? STANDARD_PASSWORD : undefined;
  return [
    `Simulated ScaleIO ${settings.version}, system ${systemId}, state in ${dir}`,
    ...urls.map((url) => `  gateway   ${url}/api`),
    `  MDM port  ${mdmUrl} (for SDCs)`,
    `  user      ${name}, password ${password ?? 'as configured'}`,
    ...(caFile === undefined ? [] : [`  authority ${caFile}`]),
    ...(settings.faults ? [`  controls  ${urls[0] ?? mdmUrl}/simulator/state`] : []),
    '',
    ...(names.more?.({ urls, user: name, password, caFile }) ?? []),
    'On each host, as root, with a GUID and an address of its own; it prints what is of that host:',
    `${names.sdc} --guid ${randomUUID().toUpperCase()} --ip 127.0.0.1 --mdm ${mdmUrl} --fence-dir ${join(dir, 'fence')}`,
    '',
    'Ready.',
  ].join('\n');
}
