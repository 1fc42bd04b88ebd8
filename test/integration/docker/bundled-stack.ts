import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { vi } from 'vitest';
import { bundleFile } from '../../../plugin/bundle.ts';
import { keepLogs } from '../../secrets/kept-logs.ts';
import { notingNode } from '../../secrets/simulated.ts';
import { newSecret } from '../../secrets/used.ts';

const node = path.resolve(import.meta.dirname, '../../../node_modules/node/bin/node');
const GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';

/** The bundled program as array, SDC and plugin on this machine, talking over loopback. Needs root. */
export interface BundledStack {
  /** URL of the array's gateway. */
  readonly gateway: string;
  /** Of the array's user "admin". */
  readonly password: string;
  readonly socketPath: string;
  readonly directory: string;
  /** What the plugin logged so far, one JSON object a line. */
  pluginLog(): Promise<string>;
  close(): Promise<void>;
}

/** Starts it and resolves when the plugin listens. The bundle must have been built. `settings`: more of the plugin's. */
export async function startBundledStack(settings: Record<string, string> = {}): Promise<BundledStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-stack-'));
  const inside = (name: string): string => path.join(directory, name);
  await mkdir(inside('dev/disk/by-id'), { recursive: true });
  const end: (() => Promise<unknown>)[] = [];
  const start = async (
    log: string,
    args: string[],
    ready: RegExp,
    env: Record<string, string> = {},
  ): Promise<string> => {
    const file = inside(log);
    const [program = '', ...flags] = notingNode(node);
    const child = execa(program, [...flags, bundleFile, ...args], {
      ...{ env, reject: false, stdin: 'ignore', stdout: { file }, stderr: { file } },
    });
    end.unshift(() => {
      child.kill('SIGTERM');
      return child;
    });
    return vi.waitFor(
      async () => {
        const text = await readFile(file, 'utf8');
        if (!ready.test(text)) throw new Error(`${args[0] ?? ''} is not ready: ${text}`);
        return text;
      },
      { timeout: 30_000 },
    );
  };
  const password = newSecret('password');
  await writeFile(inside('array.json'), JSON.stringify({ users: [{ name: 'admin', password }] }));
  const simulate = ['simulate', '--dir', inside('array'), '--config', inside('array.json')];
  const array = await start('array.log', simulate, /Ready\./);
  const [, gateway = ''] = /SCALEIO_ENDPOINT=(\S+)/.exec(array) ?? [];
  const [, mdm = ''] = /MDM port {2}(\S+)/.exec(array) ?? [];
  const sdc = ['--guid', GUID, '--ip', '127.0.0.1', '--mdm', mdm, '--fence-dir', inside('array/fence')];
  const places = ['--dev-dir', inside('dev'), '--state-dir', inside('sdc'), '--appear-delay-ms', '0'];
  await start('sdc.log', ['simulate-sdc', ...sdc, ...places], /is up/);
  const serve = [
    'serve',
    '--socket',
    inside('s.sock'),
    '--mount-root',
    inside('mounts'),
    '--state-dir',
    inside('state'),
  ];
  await start('plugin.log', serve, /"listening"/, {
    SCALEIO_ENDPOINT: gateway,
    SCALEIO_USERNAME: 'admin',
    SCALEIO_PASSWORD: password,
    SCALEIO_GUID: GUID,
    SCALEIO_BY_ID_DIR: inside('dev/disk/by-id'),
    SCALEIO_HOST_MOUNTINFO: '/proc/self/mountinfo',
    ...settings,
  });
  return {
    gateway,
    password,
    socketPath: inside('s.sock'),
    directory,
    pluginLog: () => readFile(inside('plugin.log'), 'utf8'),
    close: async () => {
      for (const one of end) await one();
      await execa('umount', ['--recursive', inside('mounts')], { reject: false });
      await keepLogs(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
