import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { vi } from 'vitest';
import { bundleFile } from '../../../plugin/bundle.ts';
import { keepLogs } from '../../../lab/secrets/kept-logs.ts';
import { notingNode } from '../../../lab/secrets/simulated.ts';
import type { PluginAnswer } from '../../../lab/hosts/plugin-socket.ts';
import type { socketClient } from '../../contract/docker/target.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

const node = path.resolve(import.meta.dirname, '../../../node_modules/node/bin/node');
const GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
const SECOND_GUID = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA51';

/** Another way to run the plugin of a stack. */
interface PluginRun {
  /** More of its settings; undefined: not that one, which older programs may not know. */
  readonly settings?: Record<string, string | undefined>;
  /** The program, when it is not the bundle of these sources. */
  readonly program?: string;
}

/** The bundled program as array, SDC and plugin on this machine, talking over loopback. Needs root. */
export interface BundledStack {
  /** URL of the array's gateway. */
  readonly gateway: string;
  /** Of the array's user "admin". */
  readonly password: string;
  readonly socketPath: string;
  readonly directory: string;
  /** As what the plugin runs, for who starts it himself. */
  readonly plugin: {
    readonly argv: readonly [string, ...string[]];
    readonly env: Readonly<Record<string, string>>;
  };
  /** What the plugin logged since its last start, one JSON object a line. */
  pluginLog(): Promise<string>;
  endPlugin(): Promise<void>;
  /** Another SDC of the array with a plugin of its own, also on this machine; where that listens. Once. */
  addHost(run?: PluginRun): Promise<string>;
  /** Ends it and starts it on the same state; resolves when it listens. */
  restartPlugin(run?: PluginRun): Promise<void>;
  close(): Promise<void>;
}

/** What the stack's plugin answers to a call as engines make it; rejects with its reason. */
export async function answerOf<Answer extends PluginAnswer>(
  client: Pick<ReturnType<typeof socketClient>, 'request'>,
  call: string,
  body: object,
): Promise<Answer> {
  const outcome = await client.request({ path: `/VolumeDriver.${call}`, body: JSON.stringify(body) });
  if (outcome.kind === 'dropped') throw new Error(`${call} was not answered`);
  const answer = JSON.parse(outcome.text) as Answer;
  if (outcome.status !== 200) throw new Error(answer.Err);
  return answer;
}

/** Makes a volume and mounts it; where. */
export async function mountNew(
  client: Pick<ReturnType<typeof socketClient>, 'request'>,
  name: string,
  options: Readonly<Record<string, string>>,
): Promise<string> {
  await answerOf(client, 'Create', { Name: name, Opts: { size: '8GiB', ...options } });
  const { Mountpoint = '' } = await answerOf(client, 'Mount', { Name: name, ID: 'test' });
  return Mountpoint;
}

/** `docker-volume-scaleio volume …` beside the stack's plugin. */
export function volumeCommand({ plugin, directory }: BundledStack, words: readonly string[]) {
  const [program, ...rest] = plugin.argv;
  const before = rest.slice(0, rest.indexOf('serve'));
  const all = [...before, 'volume', ...words, '--state-dir', path.join(directory, 'state')];
  return execa(program, all, { env: plugin.env, reject: false });
}

type Child = ReturnType<typeof startLogged>;

function startLogged(
  argv: readonly [string, ...string[]],
  file: string,
  settings: Record<string, string | undefined>,
) {
  const [program, ...args] = argv;
  const env = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return execa(program, args, { env, reject: false, stdin: 'ignore', stdout: { file }, stderr: { file } });
}

async function ended(child: Child): Promise<void> {
  child.kill('SIGTERM');
  await child;
}

/** Starts it and resolves when the plugin listens. The bundle must have been built. `settings`: more of the plugin's. */
export async function startBundledStack(settings: Record<string, string> = {}): Promise<BundledStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-stack-'));
  const inside = (name: string): string => path.join(directory, name);
  await mkdir(inside('dev/disk/by-id'), { recursive: true });
  const children: Child[] = [];
  const command = (args: readonly string[], program = bundleFile): readonly [string, ...string[]] => {
    const [first = '', ...flags] = notingNode(node);
    return [first, ...flags, program, ...args];
  };
  const start = async (
    log: string,
    argv: readonly [string, ...string[]],
    ready: RegExp,
    env: Record<string, string | undefined> = {},
  ): Promise<{ child: Child; text: string }> => {
    const file = inside(log);
    await writeFile(file, '');
    const child = startLogged(argv, file, env);
    children.unshift(child);
    const text = await vi.waitFor(
      async () => {
        const said = await readFile(file, 'utf8');
        if (!ready.test(said)) throw new Error(`${log} tells of no readiness: ${said}`);
        return said;
      },
      { timeout: 30_000 },
    );
    return { child, text };
  };
  const password = newSecret('password');
  await writeFile(inside('array.json'), JSON.stringify({ users: [{ name: 'admin', password }] }));
  const simulate = ['simulate', '--dir', inside('array'), '--config', inside('array.json')];
  const { text: array } = await start('array.log', command(simulate), /Ready\./);
  const [, gateway = ''] = /SCALEIO_ENDPOINT=(\S+)/.exec(array) ?? [];
  const [, mdm = ''] = /MDM port {2}(\S+)/.exec(array) ?? [];
  const sdc = ['--guid', GUID, '--ip', '127.0.0.1', '--mdm', mdm, '--fence-dir', inside('array/fence')];
  const places = ['--dev-dir', inside('dev'), '--state-dir', inside('sdc'), '--appear-delay-ms', '0'];
  await start('sdc.log', command(['simulate-sdc', ...sdc, ...places]), /is up/);
  const serve = [
    'serve',
    '--socket',
    inside('s.sock'),
    '--mount-root',
    inside('mounts'),
    '--state-dir',
    inside('state'),
  ];
  const env = {
    SCALEIO_ENDPOINT: gateway,
    SCALEIO_USERNAME: 'admin',
    SCALEIO_PASSWORD: password,
    SCALEIO_GUID: GUID,
    SCALEIO_BY_ID_DIR: inside('dev/disk/by-id'),
    SCALEIO_HOST_MOUNTINFO: '/proc/self/mountinfo',
    // Whatever is left over is to be seen.
    SCALEIO_REMOVE_GRACE: '0',
    ...settings,
  };
  const startPlugin = ({ settings: more, program }: PluginRun = {}): Promise<{ child: Child }> =>
    start('plugin.log', command(serve, program), /"listening"/, { ...env, ...more });
  let plugin = await startPlugin();
  return {
    gateway,
    password,
    socketPath: inside('s.sock'),
    directory,
    plugin: { argv: command(serve), env },
    pluginLog: () => readFile(inside('plugin.log'), 'utf8'),
    endPlugin: () => ended(plugin.child),
    addHost: async ({ settings: more, program } = {}) => {
      const second = (name: string): string => inside(`second-${name}`);
      await mkdir(second('dev/disk/by-id'), { recursive: true });
      const own = [
        '--guid',
        SECOND_GUID,
        '--ip',
        '127.0.0.1',
        '--mdm',
        mdm,
        '--fence-dir',
        inside('array/fence'),
      ];
      const at = ['--dev-dir', second('dev'), '--state-dir', second('sdc'), '--appear-delay-ms', '0'];
      await start('second-sdc.log', command(['simulate-sdc', ...own, ...at]), /is up/);
      const [socket, state, mounts] = ['s.sock', 'state', 'mounts'].map(second) as [string, string, string];
      const argv = ['serve', '--socket', socket, '--mount-root', mounts, '--state-dir', state];
      const where = { SCALEIO_GUID: SECOND_GUID, SCALEIO_BY_ID_DIR: second('dev/disk/by-id') };
      await start('second-plugin.log', command(argv, program), /"listening"/, { ...env, ...where, ...more });
      return socket;
    },
    restartPlugin: async (run) => {
      await ended(plugin.child);
      plugin = await startPlugin(run);
    },
    close: async () => {
      for (const child of children) await ended(child);
      for (const root of ['mounts', 'second-mounts'])
        await execa('umount', ['--recursive', inside(root)], { reject: false });
      await keepLogs(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
