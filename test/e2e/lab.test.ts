import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output } from '../../lab/hosts/namespace.ts';
import { until } from '../../lab/hosts/until.ts';
import { DocsPage } from './docs-page.ts';

const name = `commands-${process.pid}`;
const directory = `/var/tmp/docker-volume-scaleio-lab/${name}`;
const command = path.resolve(import.meta.dirname, '../../lab/hosts/lab-command.ts');

/** Each call is a process of its own, as with make. */
async function lab(...args: readonly string[]): Promise<string> {
  const result = await execa(process.execPath, [command, ...args], { env: { LAB: name }, all: true });
  return result.all;
}

const project = path.resolve(import.meta.dirname, '../..');

/** Commands of the page as its reader types them, with this lab's name for the one that `make lab` gives. */
async function typed(commands: string): Promise<string> {
  const result = await execa('bash', ['-ec', commands], { cwd: project, env: { LAB: name }, all: true });
  return result.all;
}

/** The commands of a block one by one, each with what it goes on to in the next lines. */
function commandsOf(block: string): string[] {
  return block
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** `docker -H` of the machine that runs the lab. */
async function docker(host: number, ...args: readonly string[]): Promise<string> {
  return output(['docker', '-H', `unix://${directory}/host${host}/engine/docker.sock`, ...args]);
}

/** The cells of one host in the status. */
function rowOf(status: string, host: number): Record<string, string> {
  const [heading = [], ...rows] = status.split('\n').map((line) => line.split(/ {2,}/));
  const row = rows.find(([first]) => first === `host${host}`) ?? [];
  return Object.fromEntries(heading.map((key, column) => [key, row[column] ?? '']));
}

/** What of the lab can be found on the machine. */
async function traces(): Promise<string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(name));
  const groups = (await output(['find', '/sys/fs/cgroup', '-maxdepth', '6', '-name', name])).split('\n');
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const argvs = pids.map(async (pid) => {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return argv.includes(directory) ? `process ${pid}: ${argv.replaceAll('\0', ' ')}` : '';
  });
  const loops = (await output(['losetup', '--list', '--noheadings'])).split('\n');
  const left = [
    ...mounts,
    ...groups,
    ...(await Promise.all(argvs)),
    ...loops.filter((one) => one.includes(name)),
  ];
  return [...left, existsSync(directory) ? directory : ''].filter((trace) => trace !== '');
}

describe('a lab that other processes work with', () => {
  let said: string;
  let page: DocsPage;
  /** The page's last word on a lab. */
  let down: string;

  beforeAll(async () => {
    page = await DocsPage.read('docs/lab.md', { playground: name });
    const [up = '', ...others] = commandsOf(page.next('make lab '));
    down = others.at(-1) ?? '';
    said = await typed(up);
  });

  afterAll(async () => {
    await lab('down');
  });

  test('says how to log in at the gateway, word for word, and that once', async () => {
    const password = await readFile(`${directory}/host1/upper/etc/scaleio/password`, 'utf8');
    // Not for the test's report, which is searched for passwords.
    expect(password !== '' && said.includes(`--user admin:${password} `)).toBe(true);
    expect((await lab('status')).includes(password)).toBe(false);
    const [, login = ''] = /^Login +(curl .*?) {2,}\(/m.exec(said) ?? [];
    const shell = [command, 'shell', '1'];
    const { stdout } = await execa(process.execPath, shell, { env: { LAB: name }, input: `${login}\n` });
    // A token, in quotes.
    expect(/^"[^"]{20,}"$/m.test(stdout)).toBe(true);
  });

  test('a first failover by hand goes as its page says, word for word', async () => {
    const [directoryOf = '', on = '', create = '', service = '', ps = '', powerOff = '', ...after] =
      commandsOf(page.next('lab='));
    expect(page.left).toEqual([]);
    const type = (command: string): Promise<string> => typed(`${directoryOf}\n${on}\n${command}`);
    expect(await type(create)).toBe('db');
    await type(service);
    const nodeOf = (tasks: string): string | undefined => /\s(host\d)\s+Running\s+Running/.exec(tasks)?.[1];
    const first = await until('the service to run', async () => nodeOf(await type(ps)), {
      timeoutMs: 120_000,
    });
    // The page's reader runs it on host2 and sees it go to host3; here the Swarm chose.
    const other = first === 'host2' ? 'host3' : 'host2';
    const here = (command: string): string =>
      command.replaceAll('host3', other).replaceAll('HOST=2', `HOST=${first.slice(-1)}`);
    await type(here(powerOff));
    const [again = '', log = '', inspect = '', boot = '', ...more] = after;
    expect(more).toEqual([]);
    await until('the service to run elsewhere', async () => nodeOf(await type(here(again))) === other, {
      timeoutMs: 120_000,
    });
    await until('a line of the other host', async () => (await type(here(log))) !== '');
    expect(JSON.parse(await type(here(inspect)))).toMatchObject([
      { Name: 'db', Driver: expect.any(String) as string },
    ]);
    await type(here(boot));
    await docker(1, 'service', 'rm', 'db');
    // The command does not wait for the container, which has the volume.
    const left = (): Promise<string> => docker(Number(other.slice(-1)), 'ps', '--all', '--quiet');
    await until('the container of the service to go', async () => (await left()) === '', {
      timeoutMs: 60_000,
    });
    await until('the booted host to be ready', async () => {
      return rowOf(await lab('status'), Number(first.slice(-1)))['SWARM'] === 'ready/active';
    });
  });

  test('is reached from outside, and writes to a volume on one host what the other reads', async () => {
    const write = ['run', '--rm', '--volume-driver', 'scaleio', '--volume', 'db:/data', 'busybox'];
    await docker(1, ...write, 'sh', '-c', 'echo written >/data/a; sync');
    expect(await docker(2, ...write, 'cat', '/data/a')).toBe('written');
  });

  test('a host that was powered off and booted is in the Swarm again without another command', async () => {
    expect(rowOf(await lab('do', '2', 'power-off'), 2)).toMatchObject({ POWER: 'off', ENGINE: '-' });
    await expect(docker(2, 'version')).rejects.toThrow();
    expect(rowOf(await lab('do', 'host2', 'boot'), 2)).toMatchObject({ POWER: 'on' });
    await until('host2 to be ready', async () => rowOf(await lab('status'), 2)['SWARM'] === 'ready/active', {
      timeoutMs: 60_000,
    });
    const read = ['run', '--rm', '--volume', 'db:/data', '--volume-driver', 'scaleio', 'busybox'];
    expect(await docker(2, ...read, 'cat', '/data/a')).toBe('written');
  });

  test('a frozen host stands still with its data client, and goes on', async () => {
    expect(rowOf(await lab('do', '2', 'freeze'), 2)).toMatchObject({ POWER: 'frozen' });
    await expect(lab('do', '2', 'kill-plugin')).rejects.toThrow(/host2 is frozen: thaw it/);
    await until(
      'the array to lose the SDC',
      async () => rowOf(await lab('status'), 2)['SDC'] === 'disconnected',
    );
    expect(rowOf(await lab('do', '2', 'thaw'), 2)).toMatchObject({ POWER: 'on' });
    await until(
      'the array to hear the SDC',
      async () => rowOf(await lab('status'), 2)['SDC'] === 'connected',
    );
  });

  test('each network is cut and restored alone', async () => {
    expect(rowOf(await lab('do', '2', 'cut-cluster'), 2)).toMatchObject({
      'CLUSTER NET': 'cut',
      'STORAGE NET': 'up',
    });
    await until(
      'the Swarm to lose host2',
      async () => rowOf(await lab('status'), 2)['SWARM'] === 'down/active',
      {
        timeoutMs: 60_000,
      },
    );
    expect(rowOf(await lab('status'), 2)['SDC']).toBe('connected');
    await lab('do', '2', 'restore-cluster');
    expect(rowOf(await lab('do', '2', 'cut-storage'), 2)).toMatchObject({
      'CLUSTER NET': 'up',
      'STORAGE NET': 'cut',
    });
    await until(
      'the array to lose the SDC',
      async () => rowOf(await lab('status'), 2)['SDC'] === 'disconnected',
    );
    await lab('do', '2', 'restore-storage');
    await until(
      'the array to hear the SDC',
      async () => rowOf(await lab('status'), 2)['SDC'] === 'connected',
    );
  });

  test('engine and plugin die and come back alone; a host is drained', async () => {
    expect(rowOf(await lab('do', '2', 'kill-dockerd'), 2)).toMatchObject({ ENGINE: 'down', POWER: 'on' });
    expect(rowOf(await lab('do', '2', 'start-dockerd'), 2)['ENGINE']).toMatch(/^\d/);
    await lab('do', '2', 'kill-plugin');
    await until('the plugin to answer again', async () => {
      return (await docker(2, 'volume', 'inspect', '--format', '{{.Name}}', 'db')) === 'db';
    });
    expect(rowOf(await lab('do', '2', 'drain'), 2)['SWARM']).toMatch(/\/drain$/);
    expect(rowOf(await lab('do', '2', 'activate'), 2)['SWARM']).toMatch(/\/active$/);
  });

  test('what cannot be is refused with what was meant', async () => {
    await expect(lab('do', '2', 'pwer-off')).rejects.toThrow(/did you mean "power-off"\?/);
    await expect(lab('do', '7', 'boot')).rejects.toThrow(
      /there is no host "7": there are host1, host2, host3/,
    );
    await expect(lab('up', '1', '27')).rejects.toThrow(/there is no engine "27" here/);
    await expect(lab('up', '1', '26.2')).rejects.toThrow(/did you mean "26\.1"\?/);
    await expect(lab('shell', '7')).rejects.toThrow(/there is no host "7"/);
  });

  test('its end leaves nothing, also with a host off and one frozen, and a second end does nothing', async () => {
    await docker(
      1,
      'run',
      '--detach',
      '--volume-driver',
      'scaleio',
      '--volume',
      'db:/data',
      'busybox',
      'sleep',
      '600',
    );
    await lab('do', '1', 'freeze');
    await lab('do', '2', 'power-off');
    expect(await traces()).not.toEqual([]);
    await typed(down);
    expect(await traces()).toEqual([]);
    await lab('down');
    await expect(lab('status')).rejects.toThrow(/there is no lab/);
  });
});
