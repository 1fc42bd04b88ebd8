import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { startSimulator } from './simulator.ts';
import type { Simulator } from './simulator.ts';
import { settingsSchema, standardPassword } from './settings.ts';
import type { SettingsInput } from './settings.ts';

/** What the command needs of its process. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  onSignal(signal: 'SIGTERM' | 'SIGINT', handler: () => void): void;
}

const help = `Usage: simulate [options]

Runs a simulated ScaleIO: MDM and gateway, with the volumes' data in sparse files, until SIGTERM or SIGINT.

  --dir DIR            keep the state here (default: a temporary folder, removed at the end,
                       after a kill at the next start)
  --version VERSION    2.6, 3.6 (default) or 4.5
  --listen HOST:PORT   where the gateway listens (default 127.0.0.1:0, any free port)
  --gateways N         so many gateways, on consecutive ports
  --tls                HTTPS, with a certificate of an own CA (DIR/ca.pem)
  --mdm-listen H:P     where SDC agents connect (default 127.0.0.1:0)
  --config FILE        JSON with any setting of the simulator; the options here win
  --faults             serve the fault controls under /simulator
  --help               this text
`;

const options = {
  dir: { type: 'string' },
  version: { type: 'string' },
  listen: { type: 'string' },
  gateways: { type: 'string' },
  tls: { type: 'boolean' },
  'mdm-listen': { type: 'string' },
  config: { type: 'string' },
  faults: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Runs the simulator until the process is asked to end. Throws for wrong options, before anything is started. */
export async function simulate(argv: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options, allowPositionals: false });
  if (values.help) {
    io.stdout.write(help);
    return;
  }
  const input = await settingsOf(values);
  const simulator = await startSimulator(values.dir === undefined ? input : { ...input, dir: values.dir });
  const ended = new Promise<void>((resolve) => {
    io.onSignal('SIGTERM', resolve);
    io.onSignal('SIGINT', resolve);
  });
  io.stdout.write(announcement(simulator));
  await ended;
  await simulator.close();
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

async function settingsOf(values: Values): Promise<SettingsInput> {
  const file: unknown = values.config === undefined ? {} : JSON.parse(await readFile(values.config, 'utf8'));
  const base = z.record(z.string(), z.unknown()).parse(file);
  const input: Record<string, unknown> = { ...base };
  if (values.version !== undefined) input['version'] = values.version;
  if (values.faults) input['faults'] = true;
  if (values['mdm-listen'] !== undefined) input['mdm'] = address(values['mdm-listen']);
  if (values.listen !== undefined || values.gateways !== undefined || values.tls) {
    const first = address(values.listen ?? '127.0.0.1:0');
    const count = z.coerce
      .number()
      .int()
      .min(1)
      .parse(values.gateways ?? 1);
    const tls = values.tls ?? false;
    input['gateways'] = Array.from({ length: count }, (_, number) => ({
      host: first.host,
      port: first.port === 0 ? 0 : first.port + number,
      tls,
    }));
  }
  const parsed = settingsSchema.safeParse(input);
  if (!parsed.success) throw new Error(`Wrong settings of the simulator: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** `host:port`, `[v6]:port`. */
function address(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined)
    throw new Error(`"${text}" is not an address; give HOST:PORT`);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function announcement(simulator: Simulator): string {
  const { urls, mdmUrl, caFile, settings, systemId, dir } = simulator;
  const [user] = settings.users;
  const isWellKnown = user?.password === standardPassword;
  const insecure = caFile === undefined ? 'SCALEIO_INSECURE=true' : `SCALEIO_CA_FILE=${caFile}`;
  return `${[
    `Simulated ScaleIO ${settings.version}, system ${systemId}, state in ${dir}`,
    ...urls.map((url) => `  gateway   ${url}/api`),
    `  MDM port  ${mdmUrl} (for simulate-sdc)`,
    `  user      ${user?.name ?? ''}, password ${isWellKnown ? standardPassword : 'as configured'}`,
    ...(settings.faults ? [`  controls  ${urls[0] ?? mdmUrl}/simulator/state`] : []),
    '',
    'Settings for the plugin:',
    `SCALEIO_ENDPOINT=${urls.map((url) => `${url}/api`).join(',')}`,
    `SCALEIO_USERNAME=${user?.name ?? ''}`,
    isWellKnown ? `SCALEIO_PASSWORD=${standardPassword}` : '# SCALEIO_PASSWORD: as configured',
    insecure,
    '',
    'Ready.',
  ].join('\n')}\n`;
}
