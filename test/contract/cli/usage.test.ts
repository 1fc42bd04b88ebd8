import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { commandTree, type OfferedCommand } from '../../../src/cli/command-tree.ts';
import { buildProgram, runCommandLine } from '../../../src/cli/command-line.ts';

/* What the program says when it is called wrongly: one sentence and status 2, never a stack. */

async function called(
  ...argv: readonly string[]
): Promise<{ status: number; said: string; printed: string }> {
  let said = '';
  let printed = '';
  const status = await runCommandLine({
    argv,
    env: {},
    pid: process.pid,
    stdout: { write: (words) => (printed += words) },
    stderr: { write: (words) => (said += words) },
    onSignal: () => undefined,
  });
  return { status, said, printed };
}

test.each([
  ['serve --sokcet /x', '--socket'],
  ['config --confg x', '--config'],
  ['config --confg=Se-cret', '--config'],
  ['volume ls --jsom', '--json'],
  ['volume force-release --hodler x db', '--holder'],
  ['doctor --jso', '--json'],
  ['steward --onec', '--once'],
  ['simulate --liste 127.0.0.1:0', '--listen'],
  ['simulate --mdm-lisen=127.0.0.1:0', '--mdm-listen'],
  ['simulate-sdc --guid x --ip x --fence-dir x --fence-dri x', '--fence-dir'],
])('"%s" is told of %s', async (line, nearest) => {
  const [wrong = ''] = line
    .split(' ')
    .filter((word) => /jsom|sokcet|confg|hodler|jso$|onec|lise|liste|dri$/.test(word));
  const { status, said, printed } = await called(...line.split(' '));
  expect(said).toBe(
    `docker-volume-scaleio: unknown option '${wrong.replace(/=.*/, '')}'; did you mean ${nearest}?\n`,
  );
  expect({ status, printed }).toEqual({ status: 2, printed: '' });
});

test.each([
  ['simulate --nonsense', "unknown option '--nonsense'; see --help"],
  ['volume sho db', "unknown command 'sho'; did you mean show?"],
  ['volume show', "missing required argument 'name'; see --help"],
  ['serve --socket', "option '--socket <path>' argument missing; see --help"],
  ['simulate --listen nowhere', /HOST:PORT/],
  ['simulate --listen 127.0.0.1:70000', /HOST:PORT/],
  ['simulate --gateways none', /number/],
  ['simulate --version 1.0', /2\.6, 3\.6, 4\.5/],
  ['simulate --config /nowhere/at/all', /"\/nowhere\/at\/all"/],
  ['simulate-sdc', /--guid/],
])('"%s" is told in one line', async (line, expected) => {
  const { status, said, printed } = await called(...line.split(' '));
  expect(said).toMatch(expected);
  expect(said.trimEnd().split('\n')).toHaveLength(1);
  expect({ status, printed }).toEqual({ status: 2, printed: '' });
});

test.each(['--help', 'simulate --help', 'simulate-sdc --help', 'volume --help'])(
  '"%s" helps',
  async (line) => {
    const { status, said, printed } = await called(...line.split(' '));
    expect(printed).toMatch(/^Usage: /);
    expect({ status, said }).toEqual({ status: 0, said: '' });
  },
);

test('settings of the simulator that are wrong are named in one line', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'usage-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const config = path.join(dir, 'config.json');
  for (const [content, named] of [
    [JSON.stringify({ domains: [{ nam: 'pd1' }] }), /nam/],
    ['[]', /no JSON object/],
    ['{', /JSON/],
  ] as const) {
    await writeFile(config, content);
    const { status, said } = await called('simulate', '--config', config);
    expect(said).toMatch(named);
    expect(said.trimEnd().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
  }
});

const main = path.resolve(import.meta.dirname, '../../../src/main.ts');

test.each(['--listen', '--mdm-listen', '--config'])(
  'simulate on a port that is taken (%s) says so and ends, and leaves nothing',
  async (flag) => {
    const temporary = await mkdtemp(path.join(tmpdir(), 'usage-'));
    onTestFinished(() => rm(temporary, { recursive: true }));
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const second = path.join(temporary, 'second.json');
    await writeFile(second, JSON.stringify({ gateways: [{ port: 0 }, { port }] }));
    const flags = [flag, flag === '--config' ? second : `127.0.0.1:${port}`];
    const program = spawn(process.execPath, [main, 'simulate', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { TMPDIR: temporary },
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    const exit = once(program, 'exit') as Promise<[number]>;
    const [[code], said, printed] = await Promise.all([exit, text(program.stderr), text(program.stdout)]);
    expect(said).toContain(`127.0.0.1:${port}: another program has this port`);
    expect(said).toContain(flag === '--mdm-listen' ? '--mdm-listen' : '--listen');
    expect(said.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, printed }).toEqual({ code: 1, printed: '' });
    expect(await readdir(temporary)).toEqual(['second.json']);
  },
);

test('simulate where it cannot keep its state says so and ends', async () => {
  const { status, said } = await called('simulate', '--dir', '/etc/passwd/nowhere');
  expect(said).toMatch(
    /^docker-volume-scaleio: The simulator cannot keep its state in "\/etc\/passwd\/nowhere": .*\n$/,
  );
  expect(status).toBe(1);
});

test.each(['a file', 'a pipe', 'nothing'])(
  'LISTEN_FDS with %s in place of a socket is one sentence and status 2',
  async (what) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'usage-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const file = await open(path.join(dir, 'file'), 'w');
    onTestFinished(() => file.close());
    const third = { 'a file': file.fd, 'a pipe': 'pipe', nothing: 'ignore' } as const;
    const main = path.resolve(import.meta.dirname, '../../../src/main.ts');
    // The process id that systemd writes is the program's own.
    const argv = ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', process.execPath, main, 'serve'];
    const env = {
      LISTEN_FDS: '1',
      SCALEIO_ENDPOINT: 'http://127.0.0.1:9',
      SCALEIO_USERNAME: 'docker',
      SCALEIO_PASSWORD: 'of nobody',
      SCALEIO_STATE_DIR: dir,
      SCALEIO_MOUNT_ROOT: path.join(dir, 'm'),
    };
    const program = spawn('sh', argv, {
      stdio: ['ignore', 'ignore', 'pipe', third[what as keyof typeof third]],
      env: { ...env, PATH: process.env['PATH'] },
    });
    const ended = once(program, 'exit');
    const said = await text(program.stderr ?? Readable.from([]));
    await ended;
    expect({ said, status: program.exitCode }).toEqual({
      said: expect.stringMatching(
        /^docker-volume-scaleio: LISTEN_FDS says that systemd handed over a socket, but descriptor 3 is none [^\n]+\n$/,
      ) as string,
      status: 2,
    });
  },
);

/** The words that lead to each command that does something; `simulate` hands its own on. */
async function allCommands(): Promise<readonly OfferedCommand[]> {
  const nothing = { write: () => undefined };
  const io = { argv: [], env: {}, pid: 1, stdout: nothing, stderr: nothing, onSignal: () => undefined };
  return commandTree(await buildProgram(io));
}

test('each command that answers does so in JSON, too', async () => {
  const lacking = (await allCommands())
    .filter(({ options }) => options.every(({ flag }) => flag !== '--json'))
    .map(({ path: words }) => words.join(' '));
  expect(lacking).toEqual(['', 'serve', 'volume', 'simulate', 'simulate-sdc', 'completion']);
});

test('whichever command is asked tells the version', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const commands = await allCommands();
  expect(commands.length).toBeGreaterThan(30);
  for (const { path: words } of commands)
    for (const flag of ['--version', '-V']) {
      const answer = { status: 0, said: '', printed: `${version}\n` };
      expect([words, flag, await called(...words, flag)]).toEqual([words, flag, answer]);
    }
});
