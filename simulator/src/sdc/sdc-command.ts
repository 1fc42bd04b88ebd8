import { InvalidArgumentError, Command, Option } from 'commander';
import { join } from 'node:path';
import { startAgent } from './agent.ts';
import type { NodeNaming } from './device-links.ts';
import type { SizeNews } from './mapped-volume.ts';
import { buildScini, installDrvCfg } from './programs.ts';

/** What the command needs of the process it runs in. */
export interface AgentIo {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Resolves when the process is asked to end (SIGTERM, SIGINT). */
  readonly untilStopped: Promise<unknown>;
}

/** What the program that offers the command calls it, and what it has to add. */
export interface SdcCommandNames {
  readonly sdc: string;
  /** Further lines on a running SDC, such as settings for a client on its host. */
  readonly more?: (sdc: RunningSdc) => readonly string[];
}

export interface RunningSdc {
  readonly guid: string;
  /** Undefined when none was made. */
  readonly drvCfg: string | undefined;
  /** Where the volumes' links appear; undefined for /dev/disk/by-id. */
  readonly byIdDir: string | undefined;
}

const OWN_NAMES: SdcCommandNames = { sdc: 'scaleio-simulator sdc', more: placesOf };

interface AgentFlags {
  readonly guid: string;
  readonly ip: string;
  readonly mdm: string[];
  readonly mdmPort?: number;
  readonly devDir: string;
  readonly stateDir: string;
  readonly fenceDir: string;
  readonly appearDelayMs: number;
  readonly sizeNews: SizeNews;
  readonly nodes: NodeNaming;
  readonly scini?: string;
  readonly drvCfg?: string;
  readonly sdcVersion: string;
}

function milliseconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number of milliseconds.');
  return Number(text);
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number > 0 && number < 65_536) return number;
  throw new InvalidArgumentError('It must be a port.');
}

function placesOf({ drvCfg, byIdDir }: RunningSdc): readonly string[] {
  return [
    ...(drvCfg === undefined ? [] : [`  drv_cfg   ${drvCfg}`]),
    `  devices   ${byIdDir ?? '/dev/disk/by-id'}/emc-vol-*`,
  ];
}

function sdcCommand(io: AgentIo, names: SdcCommandNames): Command {
  return new Command(names.sdc)
    .description('Play the SDC of one host of a simulated ScaleIO; needs root')
    .requiredOption('--guid <uuid>', 'GUID of the SDC, in capitals')
    .requiredOption('--ip <address>', 'address of this host that the array shows')
    .option(
      '--mdm <url...>',
      'MDM port of a system, http://HOST:PORT; several addresses with commas; none: drv_cfg --add_mdm will tell',
      [],
    )
    .option('--mdm-port <port>', 'of MDM addresses that are given without one', port)
    .requiredOption('--fence-dir <dir>', 'directory "fence" of the simulated array')
    .option('--dev-dir <dir>', "the host's /dev; links appear in its disk/by-id", '/dev')
    .option('--state-dir <dir>', 'state of this SDC alone', '/run/scaleio-sdc')
    .option('--appear-delay-ms <ms>', 'from mapping to device', milliseconds, 300)
    .addOption(
      new Option(
        '--size-news <way>',
        'how a device learns that its volume has grown: by itself, or when drv_cfg --rescan asks',
      )
        .choices(['pushed', 'rescan'])
        .default('pushed'),
    )
    .addOption(
      new Option('--nodes <naming>', 'links to /dev/loopN, or scinia, scinib, … made in --dev-dir')
        .choices(['loop', 'scini'])
        .default('loop'),
    )
    .option('--scini <file>', 'the compiled data path; built with gcc in --state-dir when left out')
    .option('--sdc-version <version>', 'software version that the array shows', 'R3_6.0.0')
    .option(
      '--drv-cfg <file>',
      'where the program goes that tells a host of its SDC (default: drv_cfg in --state-dir, where the data path is built there too)',
    )
    .configureOutput({
      writeOut: (text) => {
        io.print(text.trimEnd());
      },
      outputError: () => undefined,
    })
    .exitOverride()
    .action(async (flags: AgentFlags) => {
      await serve(flags, io, names);
    });
}

async function serve(flags: AgentFlags, io: AgentIo, names: SdcCommandNames): Promise<void> {
  const { guid, ip, mdm, devDir, stateDir, fenceDir, appearDelayMs, sizeNews, nodes, sdcVersion, mdmPort } =
    flags;
  const scini = flags.scini ?? (await buildScini(join(stateDir, 'scini')));
  const drvCfg = flags.drvCfg ?? (flags.scini === undefined ? join(stateDir, 'drv_cfg') : undefined);
  if (drvCfg !== undefined) await installDrvCfg(drvCfg);
  const agent = await startAgent({
    guid,
    ip,
    mdms: mdm,
    devDir,
    stateDir,
    fenceDir,
    appearDelayMs,
    sizeNews,
    naming: nodes,
    scini,
    version: sdcVersion,
    ...(mdmPort === undefined ? {} : { mdmPort }),
    log: io.complain,
  });
  const byIdDir = devDir === '/dev' ? undefined : join(devDir, 'disk/by-id');
  const more = names.more?.({ guid, drvCfg, byIdDir }) ?? [];
  if (more.length > 0) io.print(more.join('\n'));
  io.print(`SDC ${guid} is up; drv_cfg asks it on ${agent.socketPath}`);
  await io.untilStopped;
  await agent.close();
}

/**
 * Runs the command until it is asked to stop. `argv` holds the flags only. Throws commander's CommanderError for
 * wrong flags, and after help, and SdcAgentError when the agent cannot start.
 */
export async function runAgent(
  argv: readonly string[],
  io: AgentIo,
  names: SdcCommandNames = OWN_NAMES,
): Promise<void> {
  await sdcCommand(io, names).parseAsync(argv, { from: 'user' });
}
