import type { Command } from 'commander';
import type { RunningArray } from 'scaleio-simulator/array-command';
import type { RunningSdc } from 'scaleio-simulator/sdc-command';
import { linesOf, type ProcessIo } from './process-io.ts';
import { VERSION } from './version.ts';
import { ExitStatus } from './exit-status.ts';

/** `simulate`: an array to try everything on. */
export function addSimulateCommand(program: Command, io: ProcessIo): void {
  const about = 'run a simulated ScaleIO: gateway and MDM, with volumes in sparse files';
  addSimulated(program, io, { name: 'simulate', about }, async (args) => {
    const { simulate } = await import('scaleio-simulator/array-command');
    const sdc = 'docker-volume-scaleio simulate-sdc';
    await simulate(args, linesOf(io), { array: 'simulate', sdc, more: settingsForArray });
  });
}

/** `simulate-sdc`: the SDC of one host of such an array. */
export function addSimulateSdcCommand(program: Command, io: ProcessIo): void {
  const about = 'play the SDC of one host of a simulated ScaleIO';
  addSimulated(program, io, { name: 'simulate-sdc', about }, async (args) => {
    const { runAgent } = await import('scaleio-simulator/sdc-command');
    await runAgent(args, linesOf(io), { sdc: 'simulate-sdc', more: settingsForHost });
  });
}

/** The simulator reads its own command line, and is loaded only when it runs. */
function addSimulated(
  program: Command,
  io: ProcessIo,
  { name, about }: { readonly name: string; readonly about: string },
  run: (args: string[]) => Promise<void>,
): void {
  program
    .command(name)
    .description(`${about} (see ${name} --help)`)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action((args: string[]) => {
      const [only, ...more] = args;
      // With a word behind it, --version is the API's.
      if (more.length > 0 || (only !== '--version' && only !== '-V'))
        return inPlainWords(io, () => run(args));
      io.stdout.write(`${VERSION}\n`);
      return undefined;
    });
}

function settingsForArray({ urls, user, password, caFile }: RunningArray): readonly string[] {
  return [
    'Settings for the plugin on every host:',
    `SCALEIO_ENDPOINT=${urls.map((url) => `${url}/api`).join(',')}`,
    `SCALEIO_USERNAME=${user}`,
    password === undefined ? '# SCALEIO_PASSWORD: as configured' : `SCALEIO_PASSWORD=${password}`,
    ...(caFile === undefined ? [] : [`SCALEIO_CA_FILE=${caFile}`]),
    '',
  ];
}

function settingsForHost({ guid, drvCfg, byIdDir }: RunningSdc): readonly string[] {
  return [
    'Settings for the plugin on this host:',
    `SCALEIO_GUID=${guid}`,
    ...(drvCfg === undefined ? [] : [`SCALEIO_DRV_CFG=${drvCfg}`]),
    ...(byIdDir === undefined ? [] : [`SCALEIO_BY_ID_DIR=${byIdDir}`]),
    '',
  ];
}

/** What the simulator expects to go wrong is said without a stack; the simulator knows no errors of the plugin's. */
async function inPlainWords(io: ProcessIo, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { SimulatorError, SimulatorUsageError } = await import('scaleio-simulator/errors');
    if (!(error instanceof SimulatorError)) throw error;
    io.stderr.write(`docker-volume-scaleio: ${error.message}\n`);
    throw new ExitStatus(error instanceof SimulatorUsageError ? 2 : 1);
  }
}
